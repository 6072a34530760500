package process_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/poolcast/poolcast/integration/process"
)

func TestRunEndsWhatItStarted(t *testing.T) {
	var child *process.Process
	var dir string
	err := process.Run(t.Context(), "process-test-", func(r process.T) {
		dir = r.TempDir()
		child = process.Start(r, process.Command{Name: "child", Args: []string{"sleep", "300"}})
		r.Cleanup(func() { r.Fatalf("the %s failure", "second") })
		r.Fatalf("the %s failure", "first")
	})
	if err == nil || err.Error() != "the first failure\nthe second failure" {
		t.Errorf("the error is %v", err)
	}
	if child.Running() {
		t.Error("the child runs")
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary folder is left: %v", err)
	}
}

func TestAwaitEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := process.Run(ctx, "process-test-", func(r process.T) {
		process.Await(r, time.Hour, "a reply", func() error {
			cancel()
			return errors.New("there is none")
		})
	})
	if err == nil || err.Error() != "wait for a reply: context canceled" {
		t.Errorf("the error is %v", err)
	}
}

func TestParallelFailsOnce(t *testing.T) {
	after := false
	err := process.Run(t.Context(), "process-test-", func(r process.T) {
		process.Parallel(r,
			func(r process.T) { r.Fatalf("the broker has ended") },
			func(r process.T) {
				process.Await(r, time.Hour, "the scheduler", func() error { return errors.New("not yet") })
			})
		after = true
	})
	if err == nil || err.Error() != "the broker has ended" || after {
		t.Errorf("the error is %v", err)
	}
	if err := process.Run(t.Context(), "process-test-", func(r process.T) {
		process.Parallel(r, func(r process.T) { r.TempDir() }, func(r process.T) { r.TempDir() })
	}); err != nil {
		t.Error(err)
	}
}
