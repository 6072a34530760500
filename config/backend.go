package config

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
)

// Backend is one Pure Storage backend, with the options of its section,
// [backend_defaults] and [DEFAULT].
type Backend struct {
	Stanza string // the section's name, as enabled_backends spells it
	File   string // where the section begins
	Line   int

	Host              string // host@stanza: the id of the backend
	Cluster           string // cluster@stanza, or ""
	VolumeBackendName string // volume_backend_name, or else the driver's class name
	Zone              string // availability zone

	Driver   string // class: PureISCSIDriver, PureFCDriver or PureNVMEDriver
	Protocol string // storage_protocol as the driver reports it: iSCSI, FC, NVMe-RoCE, NVMe-TCP

	Address    Address // san_ip
	Credential Credential
	VerifyTLS  bool   // driver_ssl_cert_verify
	CAPath     string // driver_ssl_cert_path: a PEM file or a folder; "" for the system's

	Extra            capability.Set // extra_capabilities; empty, never nil
	LiveCapabilities []string       // keys of Extra that measured values replace

	LoadClassLimits ClassLimits

	ReservedPercentage  int
	MaxOverSubscription OverSubscription
	// AutomaticRatio uses the array's total reduction as the ratio while that
	// is below 100 (drivers/pure.py, _get_thin_provisioning).
	AutomaticRatio   bool
	FilterFunction   *string // nil: none, and DriverFilter passes the backend
	GoodnessFunction *string // nil: none, and GoodnessWeigher scores it 0

	Replication Replication
}

// OverSubscription is max_over_subscription_ratio.
type OverSubscription struct {
	Auto  bool    // the scheduler computes it
	Ratio float64 // at least 1, unless Auto
}

const pureModule = "cinder.volume.drivers.pure."

// protocols are the storage protocols of the driver's classes (drivers/pure.py).
// With pure_nvme_transport = tcp, PureNVMEDriver has NVMe-TCP.
func protocols() map[string]string {
	return map[string]string{"PureISCSIDriver": "iSCSI", "PureFCDriver": "FC", "PureNVMEDriver": "NVMe-RoCE"}
}

// backends reads every section that enabled_backends lists.
func (r *reader) backends(cfg *Config) {
	cfg.Zones = map[string]string{}
	for _, name := range r.enabled() {
		r.record.beginBackend(name)
		r.addZone(cfg.Zones, name)
		b, ignored := r.enabledBackend(r.backendScope(name))
		switch faults := r.record.endBackend(); {
		case len(faults) > 0:
			cfg.Broken = append(cfg.Broken, Broken{Backend: b, Faults: faults})
		case ignored != nil:
			cfg.Ignored = append(cfg.Ignored, *ignored)
		default:
			cfg.Backends = append(cfg.Backends, b)
		}
	}
	r.warnDuplicateAddresses(cfg.Backends)
}

// addZone adds the zone of a backend of any driver.
func (r *reader) addZone(zones map[string]string, stanza string) {
	var b Backend
	r.backendScope(stanza).identity(&b)
	zones[b.Identity()] = b.Zone
}

// Identity is the name under which the scheduler keeps the backend's report: the
// cluster's if there is one, else the host's.
func (b *Backend) Identity() string { return cmp.Or(b.Cluster, b.Host) }

// enabledBackend reads one section, or returns why it is ignored.
func (r *reader) enabledBackend(s scope) (b Backend, ignored *Ignored) {
	at := s.place()
	b = Backend{Stanza: s.name, File: at.file, Line: at.line}
	driver := s.text("volume_driver")
	class, pure := strings.CutPrefix(driver.v, pureModule)
	if driver.bad {
		return b, nil
	}
	if !pure || !r.exists(s.name) {
		in := r.ignore(s, driver, pure)
		return b, &in
	}
	if _, known := protocols()[class]; !known {
		s.refuseDriver(driver, class)
		return b, nil
	}
	return s.backend(class), nil
}

// enabled returns the sections to read. Cinder skips empty names.
func (r *reader) enabled() []string {
	s := r.scopeOf(sectionDefault)
	list := s.list("enabled_backends")
	var names []string
	seen := map[string]bool{}
	for _, name := range list.v {
		if seen[name] {
			s.record.warn(list.where, "lists "+shorten(name)+" twice, and poolcast serves it once", "starts the backend twice", "Remove one of them.")
		}
		if name != "" && !seen[name] {
			names = append(names, name)
		}
		seen[name] = true
	}
	if len(names) == 0 && !list.bad {
		return s.pureSections(list)
	}
	return names
}

// pureSections replaces a missing enabled_backends: every section with a Pure
// Storage driver. Published examples and parts of files often lack the option.
func (s scope) pureSections(list value[[]string]) []string {
	var names []string
	for _, section := range s.sections() {
		driver := s.catalog[SectionBackend]["volume_driver"]
		values := s.texts(driver, section)
		if section != sectionShared && len(values) > 0 && strings.HasPrefix(values[len(values)-1].text, pureModule) {
			names = append(names, section)
		}
	}
	if len(names) == 0 {
		s.record.fault(list.where, "Write enabled_backends = name, … and a section [name] for each.",
			errors.New("is missing, and no section has a Pure Storage driver"))
		return nil
	}
	s.record.warn(list.where,
		"is missing, and poolcast uses every section with a Pure Storage driver: "+strings.Join(names, ", "),
		"does not start cinder-volume without it", "Write enabled_backends = "+strings.Join(names, ",")+".")
	return names
}

// ignore returns why a section is not served: another driver, or no such section.
func (r *reader) ignore(s scope, driver value[string], pure bool) Ignored {
	in := Ignored{Stanza: s.name, Driver: driver.v, Reason: "not a Pure Storage driver"}
	if r.exists(s.name) {
		return in
	}
	in.Reason = "there is no section [" + s.name + "]"
	at := r.scopeOf(sectionDefault).list("enabled_backends").at
	write := "Write a section [" + s.name + "], or remove the name from enabled_backends."
	hint := didYouMean(s.name, r.sections(), write)
	if hint != write || pure {
		r.record.fault(subject{at, s.name, ""}, hint, errors.New("is listed in enabled_backends, but there is no such section"))
		return in
	}
	r.record.warn(subject{at, sectionDefault, "enabled_backends"},
		"lists "+s.name+", which has no section and is ignored", "starts it with the LVM driver", write)
	return in
}

func (s scope) refuseDriver(driver value[string], class string) {
	classes := []string{pureModule + "PureISCSIDriver", pureModule + "PureFCDriver", pureModule + "PureNVMEDriver"}
	hint := didYouMean(driver.v, classes, "Write one of "+strings.Join(classes, ", ")+".")
	s.record.fault(driver.where, hint, fmt.Errorf("%s is not a class of Cinder's Pure Storage driver", redact(class)))
}

// warnDuplicateAddresses warns of two backends on one array.
func (r *reader) warnDuplicateAddresses(backends []Backend) {
	first := map[string]string{}
	for _, b := range backends {
		address := b.Address.String()
		if b.Address.Host == "" {
			continue
		}
		if other, taken := first[address]; taken {
			s := r.backendScope(b.Stanza)
			s.record.warn(s.text("san_ip").where,
				"is also the address of ["+other+"], so one array is polled and reported twice",
				"does the same and counts its capacity twice", "")
			continue
		}
		first[address] = b.Stanza
	}
}

func (s scope) backend(class string) Backend {
	at := s.place()
	b := Backend{
		Stanza: s.name, File: at.file, Line: at.line, Driver: class, Protocol: protocols()[class],
		VolumeBackendName:  s.text("volume_backend_name").v,
		Address:            s.address(),
		Credential:         s.credential(),
		ReservedPercentage: s.integer("reserved_percentage").v,
		AutomaticRatio:     s.boolean("pure_automatic_max_oversubscription_ratio").v,
		FilterFunction:     s.function("filter_function"),
		GoodnessFunction:   s.function("goodness_function"),
		Replication:        s.replication(),
	}
	if b.VolumeBackendName == "" {
		b.VolumeBackendName = class
	}
	if transport := s.text("pure_nvme_transport").v; class == "PureNVMEDriver" && transport == "tcp" {
		b.Protocol = "NVMe-TCP"
	}
	b.MaxOverSubscription = s.overSubscription("max_over_subscription_ratio")
	b.VerifyTLS, b.CAPath = s.verification()
	s.identity(&b)
	s.capabilities(&b)
	return b
}

// identity is cinder/cmd/volume.py, _launch_service, and manager.py's zone.
func (s scope) identity(b *Backend) {
	def := s.scopeOf(sectionDefault)
	host := scope{reader: s.reader, name: s.name, table: SectionBackend}.text("backend_host").v
	if host == "" {
		host = s.defaultHost()
	}
	b.Host = host + "@" + s.name
	if cluster := strip(def.text("cluster").v); cluster != "" {
		b.Cluster = cluster + "@" + s.name
	}
	if b.Zone = s.text("backend_availability_zone").v; b.Zone == "" {
		b.Zone = def.text("storage_availability_zone").v
	}
}

func (r *reader) defaultHost() string {
	if host := r.scopeOf(sectionDefault).text("host"); host.set {
		return host.v
	}
	return r.hostname
}

func (s scope) capabilities(b *Backend) {
	extra := s.object(keyExtraCapabilities)
	for _, key := range extra.v.SortedKeys() {
		if !capability.IsReserved(key) {
			continue
		}
		delete(extra.v, key)
		s.record.warn(extra.where,
			"contains "+key+", which marks the reports of agents and is ignored",
			"reports it, so its reports look like those of an agent", "Remove the key.")
	}
	b.Extra = extra.v
	live := s.list("live_capabilities")
	s.checkLive(live)
	if !live.set {
		live = s.scopeOf(sectionPoolcast).list("live_capabilities")
	}
	b.LiveCapabilities = live.v
	limits := s.classLimits()
	if !limits.set {
		limits = s.scopeOf(sectionPoolcast).classLimits()
	}
	b.LoadClassLimits = limits.v
}

// checkLive refuses keys that poolcast does not measure.
func (s scope) checkLive(live value[[]string]) {
	var measured []string
	for _, k := range capability.Keys() {
		if k.Origin == capability.FromArray {
			measured = append(measured, k.Name)
		}
	}
	for _, key := range live.v {
		if slices.Contains(measured, key) {
			continue
		}
		hint := didYouMean(key, measured, "Write keys such as avg_latency_ms, avg_throughput_mbps or dedupe_ratio.")
		s.record.fault(live.where, hint, fmt.Errorf("contains %s, which is not measured", redact(key)))
	}
}

// function reads filter_function or goodness_function. Without a value for the
// backend, Cinder reads [DEFAULT] (cinder/volume/driver.py, get_filter_function).
func (s scope) function(name string) *string {
	text := s.text(name).v
	if text == "" {
		text = scope{reader: s.reader, name: sectionDefault, table: SectionBackend}.text(name).v
	}
	if text == "" {
		return nil
	}
	return &text
}

var ratio = regexp.MustCompile(`^(?:auto|\d*\.\d+|\d+)$`)

// overSubscription reads a ratio as cinder/volume/volume_utils.py does,
// get_max_over_subscription_ratio.
func (s scope) overSubscription(name string) OverSubscription {
	return read(s, name, func(text string) (OverSubscription, error) {
		if !ratio.MatchString(text) {
			return OverSubscription{}, errors.New("is neither auto nor a number such as 20.0")
		}
		if text == "auto" {
			return OverSubscription{Auto: true}, nil
		}
		f, err := parseFloat(text)
		if err == nil && f < 1 {
			err = errors.New("is less than 1, which Cinder refuses when it calculates capacity")
		}
		return OverSubscription{Ratio: f}, err
	}).v
}
