package config

import (
	"os"
	"slices"
	"time"

	"github.com/poolcast/poolcast/config/files"
)

// Config is everything poolcast reads from cinder.conf. It does not change after
// [Load]; any goroutine may read it.
type Config struct {
	Backends  []Backend // Pure backends, in the order of enabled_backends
	Bus       Bus
	Scheduler Scheduler
	API       API
	Agent     Agent
	// PollingInterval is backend_stats_polling_interval.
	PollingInterval time.Duration
	// PeriodicInterval is periodic_interval: how often cinder-volume looks for tasks
	// that are due (cinder/service.py, Service.start).
	PeriodicInterval time.Duration

	// Broken are enabled backends whose section has a fault.
	Broken []Broken
	// Ignored are enabled backends of other drivers.
	Ignored []Ignored
	// Zones are the availability zones of all enabled backends, those that are broken
	// or ignored included, by host@stanza or cluster@stanza.
	Zones map[string]string
	// Warnings are values that poolcast reads differently from Cinder, and values
	// that are probably mistakes, in file order.
	Warnings []Warning
	// Paths are the files that were read or could not be read, and the folders
	// that were searched. A change of any of them is a reason to load again.
	Paths []string
	// Secrets are the secret options that the files contain.
	Secrets []SecretOption

	place func(section, option string) place
}

// Load reads a configuration as Cinder does, repairs what the package comment
// lists, and validates it. A fault in a backend's section leaves that backend out
// (see Config.Broken). On any other fault, and when no backend is left, the error
// is [FieldErrors] with all faults, and the Config has only Warnings and Paths.
// Load keeps no state and may be called again from any goroutine.
func Load(sources Sources) (*Config, error) { return load(sources, readFile) }

// LoadAgent reads [poolcast] as far as it can be read, and ignores all faults. It
// is used to find a running agent when another part of the configuration has a
// fault.
func LoadAgent(sources Sources) Agent {
	return newLoader(sources, readFile).reader().agent(time.Minute)
}

func readFile(path string) ([]byte, error) { return files.Read(path, files.MaxConfig) }

func load(sources Sources, read func(string) ([]byte, error)) (*Config, error) {
	l := newLoader(sources, read)
	cfg := &Config{}
	if len(l.layers) > 0 {
		cfg = l.build()
	}
	if faults := l.fatalFaults(cfg); len(faults) > 0 {
		return &Config{Warnings: l.record.sortedWarnings(), Paths: l.paths}, faults
	}
	cfg.Warnings, cfg.Paths = l.record.sortedWarnings(), l.paths
	return cfg, nil
}

// loader holds the files that were read.
type loader struct {
	sources Sources
	env     map[string]string
	record  *record
	layers  []*layer
	paths   []string
}

// newLoader reads all files.
func newLoader(sources Sources, read func(string) ([]byte, error)) *loader {
	if len(sources.Inputs) == 0 {
		sources.Inputs = defaultInputs("/etc/cinder")
	}
	l := &loader{sources: sources, env: environment(sources.Environ), record: &record{}}
	for _, in := range sources.Inputs {
		if in.Dir {
			l.paths = append(l.paths, expandHome(in.Path, l.env["HOME"]))
		}
	}
	for i, path := range l.files() {
		l.paths = append(l.paths, path)
		data, err := read(path)
		if err != nil {
			l.unreadable(place{file: path, rank: i + 1}, err)
			continue
		}
		l.layers = append(l.layers, scan(path, i+1, string(data), l.record))
	}
	return l
}

// fatalFaults returns every fault if one of them is not a fault of one backend, or
// if no backend is left.
func (l *loader) fatalFaults(cfg *Config) FieldErrors {
	all := &l.record.faults
	if len(all.first) == 0 && (len(cfg.Backends) > 0 || len(cfg.Broken) == 0) {
		return nil
	}
	for _, b := range cfg.Broken {
		for _, e := range b.Faults {
			all.add(e, e.Error())
		}
	}
	return sortedFaults(*all)
}

func (l *loader) reader() *reader {
	r := &reader{
		layers: l.layers, env: l.env, overrides: map[string]map[string]rawValue{},
		hostname: hostname(l.sources.hostname),
		catalog:  newCatalog(), record: l.record, stripComments: l.sources.StripComments,
	}
	r.applyFlags(l.sources.Flags)
	return r
}

func (l *loader) build() *Config {
	r := l.reader()
	cfg := &Config{Scheduler: r.scheduler(), API: r.api(), Bus: r.bus()}
	cfg.PollingInterval = seconds(r.scopeOf(sectionDefault).integer("backend_stats_polling_interval").v)
	cfg.PeriodicInterval = seconds(r.scopeOf(sectionDefault).integer("periodic_interval").v)
	cfg.Agent = r.agent(cfg.PollingInterval)
	cfg.Bus.Notifications = r.notifications(cfg.Bus, cfg.Agent.ExplainFailures)
	r.backends(cfg)
	r.checkUnread(cfg)
	cfg.place, cfg.Secrets = r.place, r.secrets()
	return cfg
}

// ReportInterval is how often cinder-volume itself reports: no more often than it
// looks for tasks.
func (c *Config) ReportInterval() time.Duration { return max(c.PollingInterval, c.PeriodicInterval) }

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

// Scheduler holds the options that cinder-scheduler reads from [DEFAULT], so that
// a local decision equals the decision of this cloud's scheduler. That holds only
// if poolcast and the scheduler read the same file.
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
	volume := scope{reader: r, name: sectionDefault, table: SectionBackend}
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

// API holds the options that cinder-api reads from [DEFAULT] to make a request for
// the scheduler. In the cloud the file of the API host counts.
type API struct {
	DefaultZone      string // default_availability_zone; "" if it is not set
	StorageZone      string // storage_availability_zone
	ZoneFallback     bool   // allow_availability_zone_fallback
	CloneSameZone    bool   // cloned_volume_same_az
	SnapshotSameHost bool   // snapshot_same_host
	DefaultType      string // default_volume_type
}

func (r *reader) api() API {
	s := r.scopeOf(sectionDefault)
	return API{
		DefaultZone:      s.text("default_availability_zone").v,
		StorageZone:      s.text("storage_availability_zone").v,
		ZoneFallback:     s.boolean("allow_availability_zone_fallback").v,
		CloneSameZone:    s.boolean("cloned_volume_same_az").v,
		SnapshotSameHost: s.boolean("snapshot_same_host").v,
		DefaultType:      s.text("default_volume_type").v,
	}
}

// Place returns the place of the value that an option of a section has: in the
// section itself, in [backend_defaults] or in [DEFAULT], in this order. Without a
// value it is the place where the section begins. For an environment variable,
// file is its name and line is 0. Any goroutine may call it.
func (c *Config) Place(section, option string) (file string, line int) {
	if c.place == nil {
		return "", 0
	}
	at := c.place(section, option)
	return at.file, at.line
}

func (r *reader) place(section, option string) place {
	silent := *r
	silent.record = &record{} // Load has recorded all warnings already
	for _, name := range []string{section, sectionShared, sectionDefault} {
		if values := silent.find(&Option{Name: option}, name); len(values) > 0 {
			return values[len(values)-1].at
		}
	}
	at, _ := r.header(section)
	return at
}

// SecretOption is a secret option in a file.
type SecretOption struct{ File, Key string }

// secrets lists the secret options in the files, each option once a file, in the
// order of the files.
func (r *reader) secrets() []SecretOption {
	secret := map[string]bool{}
	for _, o := range Options() {
		secret[o.Name] = secret[o.Name] || o.Secret
	}
	var all []SecretOption
	for _, l := range r.layers {
		for _, s := range l.order {
			for _, key := range s.keys {
				w := SecretOption{File: l.path, Key: key}
				isSet := slices.ContainsFunc(s.values[key], func(v rawValue) bool { return v.text != "" })
				if secret[key] && isSet && !slices.Contains(all, w) {
					all = append(all, w)
				}
			}
		}
	}
	return all
}
