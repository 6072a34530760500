// Command cloud starts a whole real cloud on this machine, prints what to type, and ends
// it with an interrupt. The target cloud of the Makefile runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/poolcast/poolcast/integration/internal/cloud"
	"github.com/poolcast/poolcast/integration/internal/network"
	"github.com/poolcast/poolcast/integration/process"
)

func main() {
	os.Exit(run(os.Args[1:]))
}

// run parses the flags, starts the cloud, waits for an interrupt and returns the exit
// code.
func run(args []string) int {
	flags := flag.NewFlagSet("cloud", flag.ContinueOnError)
	python := flags.String("python", cloud.Python("."), "`interpreter` of a virtual environment with Cinder and py-pure-client")
	poolcast := flags.String("poolcast", "", "`program` to run as agent; without one it is built")
	root := flags.String("broker-root", "", "`folder` of a Debian root with the RabbitMQ to run, of integration/roots")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0:
		fmt.Fprintf(os.Stderr, "make cloud: unknown argument %q\n", flags.Arg(0))
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	err := process.Run(ctx, "poolcast-cloud-", func(t process.T) { serve(t, *python, *poolcast, *root) })
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "make cloud:", err)
		return 1
	}
	fmt.Println("The cloud has ended.")
	return 0
}

// serve starts the cloud and waits for the end of the context.
func serve(t process.T, python, poolcast, root string) {
	begun := time.Now()
	options, err := cloud.Default()
	if err != nil {
		t.Fatalf("read the fixtures of the arrays: %v", err)
	}
	options.Python, options.Poolcast, options.Keystone = python, poolcast, true
	options.Agent = []string{"poll_interval = 5s", "explain_failures = true"}
	options.Settings = []string{"[oslo_messaging_notifications]", "driver = messagingv2"}
	line := newWaiting(os.Stderr, begun)
	defer line.stop()
	options.Begin = line.begin
	options.Progress = func(step string, _ time.Duration) {
		line.end(step)
		fmt.Printf("%5.1f s  %s\n", time.Since(begun).Seconds(), step)
	}
	if root != "" {
		options.Broker.Root = network.Root(t, root)
	}
	c := cloud.Start(t, options)
	line.stop()
	c.WriteClouds()
	fmt.Printf("\nThe cloud is up after %.0f s. %s", time.Since(begun).Seconds(), c.Guide())
	<-t.Context().Done()
	fmt.Println("\nEnding the cloud.")
}
