package config

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Agent is what [poolcast] and the flags of the same names say.
type Agent struct {
	PollInterval time.Duration
	PollTimeout  time.Duration // shorter than PollInterval
	StaleAfter   time.Duration // at least PollInterval
	OnStale      string        // keep, down or drop

	Overlay                   bool
	FixProvisionedCapacity    bool
	NotifyServiceCapabilities bool
	LiveCapabilities          []string // default of every backend's own list

	LogLevel  string // trace, debug, info, warn or error
	LogFormat string // text or json

	Listen          string // host:port, or "" for no listener
	TLSCertFile     string
	TLSKeyFile      string
	BearerTokenFile string
}

// restartSettings are the settings that take effect at the next start: a reload leaves
// them as they are. What the files hold that they name is read again.
func (a Agent) restartSettings() []struct{ name, value string } {
	return []struct{ name, value string }{
		{"log_format", a.LogFormat}, {"listen", a.Listen},
		{"tls_cert_file", a.TLSCertFile}, {"tls_key_file", a.TLSKeyFile}, {"bearer_token_file", a.BearerTokenFile},
	}
}

// RestartOptions names the options of [poolcast] that differ and take effect at
// the next start.
func RestartOptions(before, after Agent) []string {
	var names []string
	now := after.restartSettings()
	for i, s := range before.restartSettings() {
		if s != now[i] {
			names = append(names, s.name)
		}
	}
	return names
}

// longestPollTimeout keeps a hanging array from holding its poller for a whole
// long interval.
const longestPollTimeout = 30 * time.Second

// layFlags puts the flags over [poolcast]. An unknown one is a fault, though
// cmd can only pass those it made from [AgentOptions].
func (r *reader) layFlags(flags map[string]string) {
	laid := map[string]found{}
	for name, text := range flags {
		name = strings.ReplaceAll(name, "-", "_")
		at := place{file: "--" + strings.ReplaceAll(name, "_", "-")}
		if _, known := r.catalog.in(sectionPoolcast, name); !known {
			r.record.fault(subject{at: at}, "", errors.New("is not an option of [poolcast]"))
			continue
		}
		laid[name] = found{text: text, at: at, quoted: true, literal: true}
	}
	r.overrides[sectionPoolcast] = laid
}

func (r *reader) agent(reports time.Duration) Agent {
	s := r.scopeOf(sectionPoolcast)
	a := Agent{
		OnStale:                   s.text("on_stale").v,
		Overlay:                   s.boolean("overlay").v,
		FixProvisionedCapacity:    s.boolean("fix_provisioned_capacity").v,
		NotifyServiceCapabilities: s.boolean("notify_service_capabilities").v,
		LogLevel:                  s.text("log_level").v,
		LogFormat:                 s.text("log_format").v,
		TLSCertFile:               s.text("tls_cert_file").v,
		TLSKeyFile:                s.text("tls_key_file").v,
		BearerTokenFile:           s.text("bearer_token_file").v,
	}
	live := s.list("live_capabilities")
	s.checkLive(live)
	a.LiveCapabilities = live.v
	s.timing(&a, reports)
	s.listener(&a)
	return a
}

// timing fills in the intervals, which depend on one another and on
// cinder-volume's.
func (s scope) timing(a *Agent, reports time.Duration) {
	interval, timeout, stale := s.duration("poll_interval"), s.duration("poll_timeout"), s.duration("stale_after")
	a.PollInterval, a.PollTimeout, a.StaleAfter = interval.v, timeout.v, stale.v
	if !interval.set {
		a.PollInterval = reports
	}
	if !timeout.set {
		a.PollTimeout = min(a.PollInterval*4/5, longestPollTimeout)
	}
	if !stale.set {
		a.StaleAfter = 3 * a.PollInterval
	}
	if timeout.set && !timeout.bad && !interval.bad && a.PollTimeout >= a.PollInterval {
		s.record.fault(s.subject(timeout.at, "poll_timeout"), "Write less than poll_interval, which is "+a.PollInterval.String()+".",
			errors.New("leaves no time between two readings"))
	}
	if stale.set && !stale.bad && !interval.bad && a.StaleAfter < a.PollInterval {
		s.record.fault(s.subject(stale.at, "stale_after"), "Write at least poll_interval, which is "+a.PollInterval.String()+".",
			errors.New("would call every reading stale"))
	}
}

// listener checks that what can be reached from outside is protected.
func (s scope) listener(a *Agent) {
	listen := s.text("listen")
	if strings.EqualFold(listen.v, "off") || listen.v == "" {
		return
	}
	a.Listen = listen.v
	if (a.TLSCertFile == "") != (a.TLSKeyFile == "") {
		s.record.fault(s.subject(listen.at, "tls_cert_file"), "Write both, or neither.", errors.New("and tls_key_file belong together"))
	}
	host, port, err := net.SplitHostPort(listen.v)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		s.refuse(s.catalog[sectionPoolcast]["listen"], s.subject(listen.at, "listen"), listen.v, errors.New("is not host:port or off"))
		return
	}
	if !isLoopback(host) && (a.TLSCertFile == "" || a.BearerTokenFile == "") {
		s.record.fault(s.subject(listen.at, "listen"), "Write tls_cert_file, tls_key_file and bearer_token_file, or listen on 127.0.0.1.",
			errors.New("can be reached from other machines without TLS and a bearer token"))
	}
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
