package agent

import (
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
)

// A file system that does not respond is logged once, and so is the end of it.
func TestBlockedFileSystemIsLoggedOnce(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	a := &agent{Runtime: &setup.Runtime{Log: zerolog.New(&log)}, files: newFileReader()}
	a.checkFiles()
	started := time.Now().Add(-maxReadTime - time.Second)
	a.files.started.Store(&started)
	a.checkFiles()
	a.checkFiles()
	a.files.end()
	a.checkFiles()
	a.checkFiles()
	got := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(got) != 2 || !strings.Contains(got[0], "the file system does not respond") || !strings.Contains(got[1], "can be read again") {
		t.Errorf("got %q", got)
	}
}
