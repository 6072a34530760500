// Command cloud starts a whole real cloud on this machine, prints what to type, and ends
// it with an interrupt. The target cloud of the Makefile runs it.
package main

import (
	"context"
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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	python := flag.String("python", cloud.Python("."), "`interpreter` of a virtual environment with Cinder and py-pure-client")
	poolcast := flag.String("poolcast", "", "`program` to run as agent; without one it is built")
	root := flag.String("broker-root", "", "`folder` of a Debian root with the RabbitMQ to run, of integration/roots")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "make cloud: unknown argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	err := run(ctx, *python, *poolcast, *root)
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "make cloud:", err)
		os.Exit(1)
	}
	fmt.Println("The cloud has ended.")
}

// run starts the cloud and waits for the end of the context.
func run(ctx context.Context, python, poolcast, root string) error {
	begun := time.Now()
	options, err := cloud.Default()
	if err != nil {
		return err
	}
	options.Python, options.Poolcast, options.Keystone = python, poolcast, true
	options.Agent = []string{"poll_interval = 5s", "explain_failures = true"}
	options.Settings = []string{"[oslo_messaging_notifications]", "driver = messagingv2"}
	options.Progress = func(step string, took time.Duration) {
		fmt.Printf("%5.1f s  %s\n", time.Since(begun).Seconds(), step)
	}
	return process.Run(ctx, "poolcast-cloud-", func(t process.T) {
		if root != "" {
			options.Broker.Root = network.Root(t, root)
		}
		c := cloud.Start(t, options)
		c.WriteClouds()
		fmt.Printf("\nThe cloud is up after %.0f s. %s", time.Since(begun).Seconds(), c.Guide())
		<-ctx.Done()
		fmt.Println("\nEnding the cloud.")
	})
}
