package main

import (
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/flasharray"
	"github.com/poolcast/poolcast/flasharray/simulator"
)

// simulation answers for every array of a configuration, over TLS on loopback.
// Clients keep the addresses they were configured with and are connected to the
// array that has it; nothing leaves this host.
type simulation struct {
	server *simulator.Server
}

// startSimulation gives each backend the recorded array of its address; an
// address that nobody recorded gets a copy of one, under its stanza's name.
func startSimulation(backends []config.Backend) (*simulation, error) {
	fixtures, err := simulator.Builtin()
	if err != nil {
		return nil, fmt.Errorf("start simulator: %w", err)
	}
	var arrays []*simulator.Array
	served := map[string]bool{}
	for i, b := range backends {
		host := b.Address.Host
		if served[host] {
			continue
		}
		served[host] = true
		arrays = append(arrays, simulator.New(fixtureFor(fixtures, i, b), simulator.Options{}))
	}
	if len(arrays) == 0 {
		return nil, errors.New("start simulator: the configuration has no array to stand in for")
	}
	server, err := simulator.Serve(arrays, simulator.ServeOptions{})
	if err != nil {
		return nil, fmt.Errorf("start simulator: %w", err)
	}
	return &simulation{server: server}, nil
}

func fixtureFor(fixtures []simulator.Fixture, i int, b config.Backend) simulator.Fixture {
	for _, f := range fixtures {
		if slices.Contains(f.Addresses, b.Address.Host) {
			return f
		}
	}
	return fixtures[i%len(fixtures)].As(b.Stanza, b.Address.Host)
}

// redirect lets a client's connections end at the simulator.
func (s *simulation) redirect(o *flasharray.Options) {
	o.Dial, o.RootCAs, o.Verify, o.CAPath = s.server.DialContext, s.server.CertPool(), true, ""
}

func (s *simulation) close() { _ = s.server.Close() }

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
