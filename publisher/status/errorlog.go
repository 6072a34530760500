package status

import (
	"log"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/collector/capability/format"
)

// errorPause is how long an error of the HTTP server of one kind is not logged
// again: anybody who can connect can cause them.
const errorPause = time.Minute

// maxKinds is how many kinds of errors are told apart; what comes after them is
// one more.
const maxKinds = 16

// errorLog takes what net/http would print, and logs the first error of a kind
// and then one a minute, with the number of those between.
type errorLog struct {
	log zerolog.Logger

	mu    sync.Mutex
	kinds map[string]*errorKind
}

type errorKind struct {
	last    time.Time
	skipped int
}

func newErrorLog(l zerolog.Logger) *log.Logger {
	return log.New(&errorLog{log: l, kinds: map[string]*errorKind{}}, "", 0)
}

// Write implements io.Writer; log.Logger calls it once for each error.
func (e *errorLog) Write(p []byte) (int, error) {
	text := strings.TrimPrefix(strings.TrimSpace(string(p)), "http: ")
	if skipped, wanted := e.count(kindOf(text), time.Now()); wanted {
		event := e.log.Warn().Str("reason", format.Shorten(text, maxLine))
		if skipped > 0 {
			event = event.Int("others", skipped)
		}
		event.Msg("status page: a connection failed")
	}
	return len(p), nil
}

// kindOf is the beginning of an error, before what differs from one to the next.
func kindOf(text string) string {
	words := strings.Fields(text)
	return strings.Join(words[:min(2, len(words))], " ")
}

func (e *errorLog) count(kind string, now time.Time) (skipped int, wanted bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	k := e.kinds[kind]
	if k == nil && len(e.kinds) >= maxKinds {
		kind = ""
		k = e.kinds[kind]
	}
	if k == nil {
		k = &errorKind{}
		e.kinds[kind] = k
	}
	if !k.last.IsZero() && now.Sub(k.last) < errorPause {
		k.skipped++
		return 0, false
	}
	skipped, k.skipped, k.last = k.skipped, 0, now
	return skipped, true
}
