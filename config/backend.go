package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
)

// Backend is one Pure Storage backend: what its section, [backend_defaults]
// and [DEFAULT] say about it.
type Backend struct {
	Stanza string // the section's name, as enabled_backends spells it
	File   string // where the section begins
	Line   int

	Host              string // host@stanza: the scheduler's name of the backend
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
	LiveCapabilities []string       // keys for which the measurement wins over Extra

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

// Credential says where the array's API token comes from: exactly one of the
// three. A file or a command stands in for pure_api_token, which cinder-volume
// needs in the same section.
type Credential struct {
	Token   Secret
	File    string
	Command []string // program and arguments
}

const pureModule = "cinder.volume.drivers.pure."

// protocols of the driver's classes (drivers/pure.py), as far as the class
// alone decides.
func protocols() map[string]string {
	return map[string]string{"PureISCSIDriver": "iSCSI", "PureFCDriver": "FC", "PureNVMEDriver": "NVMe-RoCE"}
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
	host := scope{reader: s.reader, name: s.name, kind: SectionBackend}.text("backend_host").v
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
		if !capability.MarksAgents(key) {
			continue
		}
		delete(extra.v, key)
		s.record.warn(s.subject(extra.at, keyExtraCapabilities),
			"sets "+key+", which marks the reports of agents, and it is ignored: remove the key",
			"reports it, and its reports then look like those of an agent")
	}
	b.Extra = extra.v
	live := s.list("live_capabilities")
	s.checkLive(live)
	if !live.set {
		live = s.scopeOf(sectionPoolcast).list("live_capabilities")
	}
	b.LiveCapabilities = live.v
}

// checkLive refuses keys that nothing measures.
func (s scope) checkLive(live value[[]string]) {
	var measured []string
	for _, k := range capability.Keys() {
		if k.Origin == capability.FromArray {
			measured = append(measured, k.Name)
		}
	}
	for _, key := range live.v {
		if k, ok := capability.LookupKey(key); ok && k.Origin == capability.FromArray {
			continue
		}
		hint := "Write keys such as avg_latency_ms, avg_throughput_mbps or dedupe_ratio."
		if near := nearest(key, measured); near != "" {
			hint = "Write " + near + "?"
		}
		s.record.fault(s.subject(live.at, "live_capabilities"), hint, fmt.Errorf("names %s, which is not measured", redact(key)))
	}
}

func (s scope) address() Address {
	text := s.text("san_ip")
	if text.bad {
		return Address{}
	}
	if text.v == "" {
		s.missing("san_ip", "Write san_ip = the address of the array's management interface.")
		return Address{}
	}
	a, err := parseAddress(text.v)
	if err != nil {
		s.refuse(s.catalog[SectionBackend]["san_ip"], s.subject(text.at, "san_ip"), s.written("san_ip"), err)
	}
	if strings.Contains(a.Host, ":") && !strings.HasPrefix(text.v, "[") {
		s.record.warn(s.subject(text.at, "san_ip"), "is read as "+a.String(), "needs the brackets to reach the array")
	}
	return a
}

// written returns an option's text as it stands in the file, for a message.
func (s scope) written(name string) string {
	for _, section := range append([]string{s.name}, s.behind...) {
		if values := s.texts(s.catalog[s.kind][name], section); len(values) > 0 {
			return values[len(values)-1].text
		}
	}
	return ""
}

// missing tells of a key that must be there, and of one that may be meant for
// it.
func (s scope) missing(key, hint string) {
	for _, l := range s.layers {
		for _, other := range l.keys(s.name) {
			if _, known := s.catalog[SectionBackend][other]; !known && nearest(other, []string{key}) != "" {
				hint = "Write " + key + " instead of " + other + "?"
			}
		}
	}
	s.record.fault(s.subject(place{}, key), hint, errors.New("is missing"))
}

func (s scope) credential() Credential {
	token, file, command := s.secret("pure_api_token"), s.text("token_file"), s.command("token_command")
	const hint = "Write pure_api_token = the REST API token of the array's user, or token_file, or token_command."
	switch {
	case token.bad || file.bad || command.bad:
		return Credential{}
	case file.v != "" && len(command.v) > 0:
		s.record.fault(s.subject(command.at, "token_command"), "Keep one of them.", errors.New("stands beside token_file"))
		return Credential{}
	case file.v != "":
		return Credential{File: file.v}
	case len(command.v) > 0:
		return Credential{Command: command.v}
	case token.v.IsZero():
		s.missing("pure_api_token", hint)
	}
	if odd := oddToken(token.v.Reveal()); odd != "" {
		s.record.note(s.subject(token.at, "pure_api_token"), Warning{
			Message: odd + ", which an array hardly accepts", Cinder: "reads the same", Hint: "Write the token alone: pure_api_token = TOKEN.", Serious: true,
		})
	}
	return Credential{Token: token.v}
}

// oddToken finds a token with something around it. The text does not repeat it.
func oddToken(token string) string {
	switch {
	case token == "":
		return ""
	case strings.ContainsAny(token[:1], "{["):
		return "looks like JSON"
	case strings.ContainsAny(token[:1]+token[len(token)-1:], "\"'"):
		return "begins or ends with a quote"
	case strings.ContainsFunc(token, isSpace):
		return "holds more than one word"
	}
	return ""
}

func (s scope) verification() (verify bool, caPath string) {
	on, path := s.boolean("driver_ssl_cert_verify"), s.text("driver_ssl_cert_path")
	if path.v != "" && !on.v && !on.bad {
		s.record.warn(s.subject(path.at, "driver_ssl_cert_path"),
			"is of no use while driver_ssl_cert_verify is off", "does not look at it either")
	}
	return on.v, path.v
}

// function reads filter_function or goodness_function; where the backend says
// nothing, Cinder asks [DEFAULT] (cinder/volume/driver.py, get_filter_function).
func (s scope) function(name string) *string {
	text := s.text(name).v
	if text == "" {
		text = scope{reader: s.reader, name: sectionDefault, kind: SectionBackend}.text(name).v
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
	got := read(s, name, func(_ *Option, text string) (OverSubscription, bool, error) {
		if !ratio.MatchString(text) {
			return OverSubscription{}, false, errors.New("is neither auto nor a number such as 20.0")
		}
		f, _, err := parseFloat(text)
		switch {
		case text == "auto":
			return OverSubscription{Auto: true}, false, nil
		case err == nil && f < 1:
			err = errors.New("is less than 1, which Cinder refuses when it computes with it")
		}
		return OverSubscription{Ratio: f}, false, err
	})
	return got.v
}
