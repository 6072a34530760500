package config

import (
	"os"
	"time"

	"github.com/poolcast/poolcast/config/files"
)

// Config is everything poolcast reads from cinder.conf. It is a value that
// nobody changes after [Load]; any goroutine may read it.
type Config struct {
	Backends  []Backend // Pure backends, in the order of enabled_backends
	Bus       Bus
	Scheduler Scheduler
	Agent     Agent
	// ReportInterval is backend_stats_polling_interval: how often cinder-volume
	// itself reports.
	ReportInterval time.Duration

	// Ignored are enabled backends of other drivers.
	Ignored []Ignored
	// Warnings are what poolcast read differently from Cinder, and traps, in
	// file order.
	Warnings []Warning
	// Paths are the files that were read or should have been, and the folders
	// that were searched, for a watcher.
	Paths []string
	// Secrets are the secret options that stand in the files.
	Secrets []Written

	places func(section, option string) place
}

type loader struct {
	sources Sources
	read    func(path string) ([]byte, error)
	env     map[string]string
	record  *record
	rank    int // of the file that is being read
	layers  []*layer
	paths   []string
}

// Load reads a configuration as Cinder does, repairs what the package comment
// names, and validates it. On a fault the error is [FieldErrors], every one there
// is, and the Config holds only Warnings and Paths. It keeps nothing and may
// be called again from any goroutine.
func Load(sources Sources) (*Config, error) {
	if len(sources.Inputs) == 0 {
		sources.Inputs = DefaultInputs()
	}
	return load(sources, func(path string) ([]byte, error) { return files.Read(path, files.MaxConfig) })
}

func load(sources Sources, read func(string) ([]byte, error)) (*Config, error) {
	l := &loader{sources: sources, read: read, env: environment(sources.Environ), record: newRecord()}
	l.readAll()
	cfg := &Config{}
	if len(l.layers) > 0 {
		cfg = l.build()
	}
	if faults := l.record.sortedFaults(); len(faults) > 0 {
		return &Config{Warnings: l.record.sortedWarnings(), Paths: l.paths}, faults
	}
	cfg.Warnings, cfg.Paths = l.record.sortedWarnings(), l.paths
	return cfg, nil
}

func (l *loader) readAll() {
	for _, in := range l.sources.Inputs {
		if in.Dir {
			l.paths = append(l.paths, expandHome(in.Path, l.env["HOME"]))
		}
	}
	for _, path := range l.files() {
		l.paths = append(l.paths, path)
		l.rank++
		data, err := l.read(path)
		if err != nil {
			l.unreadable(path, err)
			continue
		}
		l.layers = append(l.layers, newLayer(scan(path, l.rank, string(data), l.record)))
	}
}

func (l *loader) build() *Config {
	r := &reader{
		layers: l.layers, env: l.env, overrides: map[string]map[string]found{},
		hostname: hostname(l.sources.Hostname),
		catalog:  newCatalog(), record: l.record,
	}
	r.layFlags(l.sources.Flags)
	cfg := &Config{Scheduler: r.scheduler(), Bus: r.bus()}
	cfg.ReportInterval = seconds(r.scopeOf(sectionDefault).integer("backend_stats_polling_interval").v)
	cfg.Agent = r.agent(cfg.ReportInterval)
	cfg.Backends, cfg.Ignored = r.backends()
	r.review(cfg)
	cfg.places, cfg.Secrets = r.place, r.secrets()
	return cfg
}

// hostname is socket.gethostname(), Cinder's default for host.
func hostname(given string) string {
	if given != "" {
		return given
	}
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return name
}
