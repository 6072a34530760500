package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/flasharray/simulator"
)

// newSimulatorCommand serves simulated arrays, to test a client with.
func newSimulatorCommand() *cobra.Command {
	var listen, fixtures, ca string
	var writable bool
	cmd := &cobra.Command{
		Use:   "simulator",
		Short: "Serve recorded arrays over HTTPS",
		Long: `Serve recorded arrays over HTTPS, each on a port of its own, until interrupted.
Prints one line an array: its name, the address to use as san_ip, and the
management address it was recorded at. Any API token logs in.

A recording cannot be changed: a request that would do so gets status 403. With
--writable the arrays accept what Cinder's driver sends to create, delete,
extend, clone, snapshot, connect, group and replicate volumes. The changes are
kept in memory until the command ends.`,
		Example: `  poolcast simulator --listen 127.0.0.1:8443
  poolcast simulator --writable --ca ca.pem
  poolcast simulator --fixtures recordings --ca ca.pem`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			server, arrays, err := serveFixtures(listen, fixtures, simulator.Options{Writable: writable})
			if err != nil {
				return exit.With(exit.Config, err)
			}
			defer func() { _ = server.Close() }()
			if ca != "" {
				if err := os.WriteFile(filepath.Clean(ca), server.CAPEM(), 0o644); err != nil {
					return exit.With(exit.Config, fmt.Errorf("write certificate of the authority: %w", err))
				}
			}
			return printArrays(cmd.Context(), cmd, server, arrays)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8443", "`address` of the first array; the others follow on the next ports, 0 takes free ones")
	cmd.Flags().StringVar(&fixtures, "fixtures", "", "`folder` of recordings, one subfolder an array, instead of the built-in ones")
	cmd.Flags().BoolVar(&writable, "writable", false, "let requests change the arrays, in memory")
	cmd.Flags().StringVar(&ca, "ca", "", "`file` to write the certificate authority's certificate to, for driver_ssl_cert_path")
	return cmd
}

func serveFixtures(listen, folder string, o simulator.Options) (*simulator.Server, []*simulator.Array, error) {
	fixtures, err := simulator.Builtin()
	if folder != "" {
		fixtures, err = simulator.LoadDir(os.DirFS(folder))
	}
	if err != nil {
		return nil, nil, err
	}
	on, err := listenOn(listen)
	if err != nil {
		return nil, nil, err
	}
	arrays := make([]*simulator.Array, len(fixtures))
	for i, f := range fixtures {
		arrays[i] = simulator.New(f, o)
	}
	server, err := simulator.Serve(arrays, simulator.ServeOptions{Listen: on})
	return server, arrays, err
}

func printArrays(ctx context.Context, cmd *cobra.Command, server *simulator.Server, arrays []*simulator.Array) error {
	t := text.NewTable("ARRAY", "SAN_IP", "RECORDED AT")
	for _, a := range arrays {
		recorded := "-"
		if len(a.Addresses()) > 0 {
			recorded = a.Addresses()[0]
		}
		t.Add(a.Name(), server.Addr(a.Name()), recorded)
	}
	if _, err := io.WriteString(cmd.OutOrStdout(), t.String()); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// listenOn opens one port per array, from the given one upwards; port 0 takes
// free ones.
func listenOn(address string) (func(*simulator.Array) (net.Listener, error), error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: want host:port, such as 127.0.0.1:8443: %w", address, err)
	}
	next, err := net.LookupPort("tcp", port)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w", address, err)
	}
	return func(*simulator.Array) (net.Listener, error) {
		l, err := net.Listen("tcp", net.JoinHostPort(host, fmt.Sprint(next)))
		if err == nil && next != 0 {
			next++
		}
		return l, err
	}, nil
}
