package config

import (
	"os"
	"slices"
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

	// Broken are enabled backends whose section has a fault.
	Broken []Broken
	// Ignored are enabled backends of other drivers.
	Ignored []Ignored
	// Warnings are what poolcast read differently from Cinder, and traps, in
	// file order.
	Warnings []Warning
	// Paths are the files that were read or should have been, and the folders
	// that were searched, for a watcher.
	Paths []string
	// Secrets are the secret options that stand in the files.
	Secrets []SecretOption

	places func(section, option string) place
}

// LoadAgent reads what [poolcast] says, as far as it can be read, and judges nothing:
// it is for whoever must find a running agent though another part of the
// configuration is broken.
func LoadAgent(sources Sources) Agent {
	if len(sources.Inputs) == 0 {
		sources.Inputs = DefaultInputs()
	}
	read := func(path string) ([]byte, error) { return files.Read(path, files.MaxConfig) }
	l := &loader{sources: sources, read: read, env: environment(sources.Environ), record: newRecord()}
	l.readAll()
	r := l.reader()
	return r.agent(time.Minute)
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
// names, and validates it. A fault in a backend's section leaves that backend out
// (see Config.Broken). On any other fault, and when no backend is left, the error
// is [FieldErrors], every one there is, and the Config holds only Warnings and
// Paths. Load keeps nothing and may be called again from any goroutine.
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
	if faults := l.refusal(cfg); len(faults) > 0 {
		return &Config{Warnings: l.record.sortedWarnings(), Paths: l.paths}, faults
	}
	cfg.Warnings, cfg.Paths = l.record.sortedWarnings(), l.paths
	return cfg, nil
}

// refusal is every fault, if one of them is not of a backend alone or no backend
// is left.
func (l *loader) refusal(cfg *Config) FieldErrors {
	all := &l.record.faults
	if len(all.first) == 0 && (len(cfg.Backends) > 0 || len(cfg.Broken) == 0) {
		return nil
	}
	for _, b := range cfg.Broken {
		for _, e := range b.Faults {
			all.add(e)
		}
	}
	return all.sorted()
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

func (l *loader) reader() *reader {
	r := &reader{
		layers: l.layers, env: l.env, overrides: map[string]map[string]found{},
		hostname: hostname(l.sources.Hostname),
		catalog:  newCatalog(), record: l.record, stripComments: l.sources.StripComments,
	}
	r.layFlags(l.sources.Flags)
	return r
}

func (l *loader) build() *Config {
	r := l.reader()
	cfg := &Config{Scheduler: r.scheduler(), Bus: r.bus()}
	cfg.ReportInterval = seconds(r.scopeOf(sectionDefault).integer("backend_stats_polling_interval").v)
	cfg.Agent = r.agent(cfg.ReportInterval)
	r.backends(cfg)
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

// Scheduler is what [DEFAULT] tells cinder-scheduler, so that a local answer
// is the one that this cloud's scheduler would give. It is true only where
// poolcast and the scheduler read the same file.
type Scheduler struct {
	Filters  []string // scheduler_default_filters
	Weighers []string // scheduler_default_weighers
	Handler  string   // scheduler_weight_handler

	CapacityMultiplier          float64 // capacity_weight_multiplier
	AllocatedCapacityMultiplier float64
	VolumeNumberMultiplier      float64

	// MaxOverSubscription is for backends that report no ratio.
	MaxOverSubscription OverSubscription
}

func (r *reader) scheduler() Scheduler {
	s := r.scopeOf(sectionDefault)
	volume := scope{reader: r, name: sectionDefault, kind: SectionBackend}
	return Scheduler{
		Filters:                     s.list("scheduler_default_filters").v,
		Weighers:                    s.list("scheduler_default_weighers").v,
		Handler:                     s.text("scheduler_weight_handler").v,
		CapacityMultiplier:          s.number("capacity_weight_multiplier").v,
		AllocatedCapacityMultiplier: s.number("allocated_capacity_weight_multiplier").v,
		VolumeNumberMultiplier:      s.number("volume_number_multiplier").v,
		MaxOverSubscription:         volume.overSubscription("max_over_subscription_ratio"),
	}
}

// Place returns where an option of a section is written that counts: in the
// section itself, in [backend_defaults] or in [DEFAULT], in this order, or else
// where the section begins. The line is 0 for an environment variable, which
// the file then names. Any goroutine may call it.
func (c *Config) Place(section, option string) (file string, line int) {
	if c.places == nil {
		return "", 0
	}
	at := c.places(section, option)
	return at.file, at.line
}

func (r *reader) place(section, option string) place {
	quiet := *r
	quiet.record = newRecord() // everything was said while loading
	for _, name := range []string{section, sectionShared, sectionDefault} {
		if values := quiet.find(&Option{Name: option}, name); len(values) > 0 {
			return values[len(values)-1].at
		}
	}
	at, _ := r.header(section)
	return at
}

// SecretOption is an option that stands in a file.
type SecretOption struct{ File, Key string }

// secrets lists the secret options that stand in the files, each once for each
// file, in the order of the files.
func (r *reader) secrets() []SecretOption {
	secret := map[string]bool{}
	for _, o := range Options() {
		secret[o.Name] = secret[o.Name] || o.Secret
	}
	var all []SecretOption
	for _, l := range r.layers {
		for _, section := range l.order {
			for _, key := range l.keys(section) {
				w := SecretOption{File: l.path, Key: key}
				if secret[key] && !slices.Contains(all, w) && l.holds(section, key) {
					all = append(all, w)
				}
			}
		}
	}
	return all
}
