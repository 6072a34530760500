package setup

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/flasharray"
	"github.com/poolcast/poolcast/flasharray/simulator"
)

// Simulation serves simulated arrays in place of those of a configuration, over
// TLS on loopback. Clients keep the addresses they were configured with and are
// connected to the simulated array of that address; nothing leaves this host. It may
// be used by one goroutine at a time; connections may be made by any.
type Simulation struct {
	fixtures []simulator.Fixture
	servers  map[string]*simulator.Server // by address of an array
}

// startSimulation serves an array for each backend.
func startSimulation(backends []config.Backend) (*Simulation, error) {
	fixtures, err := simulator.Builtin()
	if err != nil {
		return nil, fmt.Errorf("start simulator: %w", err)
	}
	s := &Simulation{fixtures: fixtures, servers: map[string]*simulator.Server{}}
	if err := s.add(backends); err != nil {
		return nil, err
	}
	if len(s.servers) == 0 {
		return nil, errors.New("start simulator: the configuration has no array to simulate")
	}
	return s, nil
}

// add serves an array for each address that has none. An address with a recording
// has that; each other one is of the model of its backend, and its load and fill are
// determined by the name of the first backend with the address. So an array that is
// added changes no number of the others.
func (s *Simulation) add(backends []config.Backend) error {
	var arrays []*simulator.Array
	added := map[string]bool{}
	for _, b := range backends {
		host := b.Address.Host
		if s.servers[host] == nil && !added[host] {
			added[host] = true
			arrays = append(arrays, simulator.New(s.fixtureOf(b, backends), simulator.Options{}))
		}
	}
	if len(arrays) == 0 {
		return nil
	}
	server, err := simulator.Serve(arrays, simulator.ServeOptions{})
	if err != nil {
		return fmt.Errorf("start simulator: %w", err)
	}
	for host := range added {
		s.servers[host] = server
	}
	return nil
}

// fixtureOf is the recording of the backend's address, or a variation of one of its
// model.
func (s *Simulation) fixtureOf(b config.Backend, all []config.Backend) simulator.Fixture {
	if recorded := s.recorded(b); recorded >= 0 {
		return s.fixtures[recorded]
	}
	model := s.modelOf(b, all)
	for _, f := range s.fixtures {
		if f.Name == model {
			return f.As(b.Stanza, b.Address.Host).Vary(b.Stanza)
		}
	}
	return s.fixtures[0].As(b.Stanza, b.Address.Host).Vary(b.Stanza)
}

func (s *Simulation) recorded(b config.Backend) int {
	return slices.IndexFunc(s.fixtures, func(f simulator.Fixture) bool { return slices.Contains(f.Addresses, b.Address.Host) })
}

// The fixtures that arrays without a recording are variations of.
const (
	fixtureX         = "flasharray-x-02"
	fixtureC         = "flasharray-c-01"
	fixtureEvergreen = "flasharray-eg1-01"
)

// modelOf is the fixture of the model that the backend's array_model names. Without
// that it is the one of the other backends of its logical pool, by their labels and
// then by their recordings, the first by name; without those a FlashArray//X.
func (s *Simulation) modelOf(b config.Backend, all []config.Backend) string {
	if model := labelledModel(b); model != "" {
		return model
	}
	pool := slices.DeleteFunc(slices.Clone(all), func(o config.Backend) bool { return o.VolumeBackendName != b.VolumeBackendName })
	slices.SortFunc(pool, func(x, y config.Backend) int { return strings.Compare(x.Stanza, y.Stanza) })
	for _, other := range pool {
		if model := labelledModel(other); model != "" {
			return model
		}
	}
	for _, other := range pool {
		if n := s.recorded(other); n >= 0 {
			return modelOfText(s.fixtures[n].Name)
		}
	}
	return fixtureX
}

// labelledModel is the fixture of the model in extra_capabilities; "" if it names none.
func labelledModel(b config.Backend) string {
	label, _ := b.Extra[capability.KeyArrayModel].Str()
	return modelOfText(label)
}

// modelOfText reads FlashArray//X70, FA-C60R3, Evergreen//One or the name of a fixture.
func modelOfText(text string) string {
	text = strings.ToLower(text)
	for _, m := range []struct{ fixture, product, controller, name string }{
		{fixtureEvergreen, "//one", "evergreen", "flasharray-eg"},
		{fixtureC, "//c", "fa-c", "flasharray-c"},
		{fixtureC, "//e", "fa-e", "flasharray-e"},
		{fixtureX, "//x", "fa-x", "flasharray-x"},
		{fixtureX, "//r", "fa-r", "flasharray-r"},
	} {
		if strings.Contains(text, m.product) || strings.HasPrefix(text, m.controller) || strings.HasPrefix(text, m.name) {
			return m.fixture
		}
	}
	return ""
}

// redirect connects a client to the simulator.
func (s *Simulation) redirect(o *flasharray.Options, host string) {
	server := s.servers[host]
	o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		return server.DialContext(ctx, network, address)
	}
	o.RootCAs, o.Verify, o.CAPath = server.CertPool(), true, ""
}

// Close stops the simulated arrays.
func (s *Simulation) Close() {
	for _, server := range s.servers {
		_ = server.Close()
	}
}
