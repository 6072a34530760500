package setup

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/configcheck"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/config"
)

// Source is the configuration to use, and which of its arrays.
type Source struct {
	Inputs   []config.Input
	Backends []string          // the only ones to look at, by the names of their sections; empty for all
	Simulate bool              // read simulated arrays
	Options  map[string]string // of [poolcast], from the command line
	Version  string            // of this program, for the User-Agent
}

// Read reads the configuration, with all backends.
func (s Source) Read() (*config.Config, error) {
	return config.Load(config.Sources{Inputs: s.Inputs, Environ: os.Environ(), Flags: s.Options, StripComments: s.Simulate})
}

// Load reads the configuration and keeps the backends to look at.
func (s Source) Load() (*config.Config, error) {
	cfg, err := s.Read()
	if faults, ok := errors.AsType[config.FieldErrors](err); ok {
		return cfg, exit.With(exit.Config, newRefusal(cfg, faults))
	}
	if err != nil {
		return cfg, exit.With(exit.Config, err)
	}
	if err := s.Keep(cfg); err != nil {
		return cfg, exit.With(exit.Usage, err)
	}
	switch {
	case len(cfg.Backends) > 0:
		return cfg, nil
	case len(cfg.Broken) > 0:
		return cfg, exit.With(exit.Config, newRefusal(cfg, configcheck.BrokenFaults(cfg.Broken)))
	}
	return cfg, exit.With(exit.Config, NoBackends(cfg))
}

// Keep drops the backends that --backend does not name.
func (s Source) Keep(cfg *config.Config) error {
	if len(s.Backends) == 0 {
		return nil
	}
	known := Names(cfg)
	for _, name := range s.Backends {
		if !slices.Contains(known, name) {
			return fmt.Errorf("--backend %s: there is no such backend; there are %s", name, strings.Join(known, ", "))
		}
	}
	cfg.Backends = slices.DeleteFunc(cfg.Backends, func(b config.Backend) bool { return !slices.Contains(s.Backends, b.Stanza) })
	cfg.Broken = slices.DeleteFunc(cfg.Broken, func(b config.Broken) bool { return !slices.Contains(s.Backends, b.Stanza) })
	return nil
}

// Names are the names of all backends, those with a fault last.
func Names(cfg *config.Config) []string {
	var names []string
	for _, b := range cfg.Backends {
		names = append(names, b.Stanza)
	}
	for _, b := range cfg.Broken {
		names = append(names, b.Stanza)
	}
	return names
}

// refusal is the error of a configuration that cannot be used. A reload logs its
// faults one by one.
type refusal struct {
	faults   config.FieldErrors
	warnings []config.Warning
}

func newRefusal(cfg *config.Config, faults config.FieldErrors) error {
	return &refusal{faults: faults, warnings: cfg.Warnings}
}

// Error shows warnings with the faults: one is often the cause of the other.
func (r *refusal) Error() string {
	var b strings.Builder
	b.WriteString("the configuration cannot be used:")
	for _, e := range r.faults {
		b.WriteString("\n  " + e.Error())
	}
	for _, w := range r.warnings {
		b.WriteString("\n  warning: " + w.String())
	}
	return b.String()
}

// Unwrap returns the faults.
func (r *refusal) Unwrap() error { return r.faults }

// NoBackends is the error of a configuration without a backend to serve.
func NoBackends(cfg *config.Config) error {
	message := "no backend uses a Pure Storage driver"
	for _, i := range cfg.Ignored {
		message += fmt.Sprintf("\n  [%s] %s", i.Stanza, i.Reason)
	}
	return errors.New(message + "\n  add one to enabled_backends, or name the right file with --config-file")
}
