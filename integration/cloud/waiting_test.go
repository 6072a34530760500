package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestWaitingShowsTheStepsThatRun(t *testing.T) {
	var written strings.Builder
	w := &waiting{out: &written, width: func() int { return 40 }, begun: time.Now()}
	w.begin("RabbitMQ")
	w.begin("database")
	w.draw()
	if written.Len() > 0 {
		t.Errorf("shown before two seconds: %q", written.String())
	}
	w.begun = w.begun.Add(-waitingAfter)
	w.draw()
	if want := "\r  2.0 s  … RabbitMQ, database (at most \x1b[K"; written.String() != want {
		t.Errorf("shown %q, want %q", written.String(), want)
	}
	written.Reset()
	w.end("RabbitMQ")
	if written.String() != "\r\x1b[K" {
		t.Errorf("the line is not erased before the step is printed: %q", written.String())
	}
	w.draw()
	if !strings.Contains(written.String(), "… database (at") {
		t.Errorf("shown %q", written.String())
	}
}

// TestWaitingShowsNothingInAFile, nor after the end.
func TestWaitingShowsNothingInAFile(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	w := newWaiting(file, time.Now().Add(-time.Minute))
	w.begin("RabbitMQ")
	w.end("RabbitMQ")
	w.stop()
	w.stop()
	if text, err := os.ReadFile(file.Name()); err != nil || len(text) > 0 {
		t.Errorf("%q, %v", text, err)
	}
}
