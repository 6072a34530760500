package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go obey(signals, cancel)
	err := newRootCommand().ExecuteContext(ctx)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "poolcast:", printableLines(err.Error()))
	}
	os.Exit(exitCode(err))
}

// obey lets the first signal end the work, and the second the process, whatever
// the work waits for.
func obey(signals <-chan os.Signal, cancel context.CancelFunc) {
	<-signals
	cancel()
	if number, ok := (<-signals).(syscall.Signal); ok {
		os.Exit(128 + int(number))
	}
}

// surviveBrokenPipes lets a write fail whose reader has gone away. Without it
// the write to standard error would end the process. The signal is caught and not
// ignored, so that the programs that are started get it as usual.
func surviveBrokenPipes() (stop func()) {
	pipes := make(chan os.Signal, 1)
	signal.Notify(pipes, syscall.SIGPIPE)
	return func() { signal.Stop(pipes) }
}
