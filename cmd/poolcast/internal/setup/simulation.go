package setup

import (
	"errors"
	"fmt"
	"slices"

	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/flasharray"
	"github.com/poolcast/poolcast/flasharray/simulator"
)

// Simulation serves simulated arrays in place of those of a configuration, over
// TLS on loopback. Clients keep the addresses they were configured with and are
// connected to the simulated array of that address; nothing leaves this host.
type Simulation struct {
	server *simulator.Server
}

// startSimulation gives each backend the recorded array of its address; an
// address without a recording gets a copy of one, under its stanza's name.
func startSimulation(backends []config.Backend) (*Simulation, error) {
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
		return nil, errors.New("start simulator: the configuration has no array to simulate")
	}
	server, err := simulator.Serve(arrays, simulator.ServeOptions{})
	if err != nil {
		return nil, fmt.Errorf("start simulator: %w", err)
	}
	return &Simulation{server: server}, nil
}

func fixtureFor(fixtures []simulator.Fixture, i int, b config.Backend) simulator.Fixture {
	for _, f := range fixtures {
		if slices.Contains(f.Addresses, b.Address.Host) {
			return f
		}
	}
	return fixtures[i%len(fixtures)].As(b.Stanza, b.Address.Host)
}

// redirect connects a client to the simulator.
func (s *Simulation) redirect(o *flasharray.Options) {
	o.Dial, o.RootCAs, o.Verify, o.CAPath = s.server.DialContext, s.server.CertPool(), true, ""
}

// Close stops the simulated arrays.
func (s *Simulation) Close() { _ = s.server.Close() }
