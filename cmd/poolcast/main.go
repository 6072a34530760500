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
	screen := text.NewScreen(os.Stderr)
	go handleSignals(signals, cancel, screen.Clear)
	root := newRootCommand()
	if screen != nil {
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
// second, whatever the work waits for. clear removes what shows progress.
func handleSignals(signals <-chan os.Signal, cancel context.CancelFunc, clear func()) {
	<-signals
	cancel()
	number, ok := (<-signals).(syscall.Signal)
	clear()
	if ok {
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
