package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go handleSignals(signals, cancel)
	root := newRootCommand()
	if screen := text.NewScreen(os.Stderr); screen != nil {
		root.SetErr(screen)
	}
	err := root.ExecuteContext(ctx)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "poolcast:", text.PrintableLines(err.Error()))
	}
	code, _ := exit.Code(err)
	os.Exit(code)
}

// handleSignals ends the work with the first signal, and the process with the
// second, whatever the work waits for.
func handleSignals(signals <-chan os.Signal, cancel context.CancelFunc) {
	<-signals
	cancel()
	if number, ok := (<-signals).(syscall.Signal); ok {
		os.Exit(128 + int(number))
	}
}

// catchBrokenPipes makes a write to a closed pipe fail. Without it a write to
// standard error would end the process. The signal is caught and not ignored, so
// that child processes have its default action.
func catchBrokenPipes() (stop func()) {
	pipes := make(chan os.Signal, 1)
	signal.Notify(pipes, syscall.SIGPIPE)
	return func() { signal.Stop(pipes) }
}
