package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/poolcast/poolcast/config/listen"
)

// Agent holds the options of [poolcast], and of the flags of the same names.
type Agent struct {
	PollInterval time.Duration
	PollTimeout  time.Duration // shorter than PollInterval
	StaleAfter   time.Duration // at least PollInterval
	OnStale      string        // keep, down or drop

	Overlay                   bool
	FixProvisionedCapacity    bool
	NotifyServiceCapabilities bool
	// ExplainFailures is whether error notifications of the schedulers are received.
	ExplainFailures  bool
	LiveCapabilities []string // for backends without a list of their own

	Thresholds Thresholds // of the status page

	LoadHistory     bool        // whether the keys of the last hour's load are reported
	LoadClassLimits ClassLimits // for backends without limits of their own

	LogLevel  string // trace, debug, info, warn or error
	LogFormat string // text or json

	Listen          string // host:port, or "" for no listener
	TLSCertFile     string
	TLSKeyFile      string
	BearerTokenFile string
	// VolumeTypes is the file of the volume types that the status page offers; "" for
	// none. Its contents are not read here.
	VolumeTypes string
}

// setting is an option with its value.
type setting struct{ name, value string }

// restartSettings are the settings that a reload does not change: they take effect
// at the next start. The contents of the files that they name are read again.
func (a Agent) restartSettings() []setting {
	return []setting{
		{"log_format", a.LogFormat},
		{"listen", a.Listen},
		{"tls_cert_file", a.TLSCertFile},
		{"tls_key_file", a.TLSKeyFile},
		{"bearer_token_file", a.BearerTokenFile},
	}
}

// RestartOptions returns the names of the options of [poolcast] that have changed
// and take effect at the next start only.
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

// maxPollTimeout limits how long an array that does not respond blocks its poller.
const maxPollTimeout = 30 * time.Second

// applyFlags lets the flags override [poolcast]. An unknown one is a fault, although
// cmd passes only flags that it made from [AgentOptions].
func (r *reader) applyFlags(flags map[string]string) {
	overrides := map[string]rawValue{}
	for name, text := range flags {
		name = strings.ReplaceAll(name, "-", "_")
		at := place{file: "--" + strings.ReplaceAll(name, "_", "-")}
		if _, known := r.catalog.in(sectionPoolcast, name); !known {
			r.record.fault(subject{at: at}, "", errors.New("is not an option of [poolcast]"))
			continue
		}
		overrides[name] = rawValue{text: text, at: at, quoted: true, literal: true}
	}
	r.overrides[sectionPoolcast] = overrides
}

func (r *reader) agent(reports time.Duration) Agent {
	s := r.scopeOf(sectionPoolcast)
	a := Agent{
		OnStale:                   s.text("on_stale").v,
		Overlay:                   s.boolean("overlay").v,
		FixProvisionedCapacity:    s.boolean("fix_provisioned_capacity").v,
		NotifyServiceCapabilities: s.boolean("notify_service_capabilities").v,
		ExplainFailures:           s.boolean("explain_failures").v,
		LogLevel:                  s.text("log_level").v,
		LogFormat:                 s.text("log_format").v,
		TLSCertFile:               s.text("tls_cert_file").v,
		TLSKeyFile:                s.text("tls_key_file").v,
		BearerTokenFile:           s.text("bearer_token_file").v,
		VolumeTypes:               s.text("volume_types").v,
	}
	live := s.list("live_capabilities")
	s.checkLive(live)
	a.LiveCapabilities = live.v
	a.Thresholds = s.thresholds()
	s.timing(&a, reports)
	s.loadHistory(&a)
	s.listener(&a)
	return a
}

// timing sets the intervals, whose defaults depend on one another and on the
// interval of cinder-volume.
func (s scope) timing(a *Agent, reports time.Duration) {
	interval, timeout, stale := s.duration("poll_interval"), s.duration("poll_timeout"), s.duration("stale_after")
	a.PollInterval, a.PollTimeout, a.StaleAfter = interval.v, timeout.v, stale.v
	if !interval.set {
		a.PollInterval = reports
	}
	if !timeout.set {
		a.PollTimeout = min(a.PollInterval*4/5, maxPollTimeout)
	}
	if !stale.set {
		a.StaleAfter = 3 * a.PollInterval
	}
	if timeout.set && !timeout.bad && !interval.bad && a.PollTimeout >= a.PollInterval {
		s.record.fault(timeout.where, "Write less than poll_interval, which is "+a.PollInterval.String()+".",
			errors.New("is not shorter than poll_interval"))
	}
	if stale.set && !stale.bad && !interval.bad && a.StaleAfter < a.PollInterval {
		s.record.fault(stale.where, "Write at least poll_interval, which is "+a.PollInterval.String()+".",
			errors.New("is shorter than poll_interval, so every sample would be stale"))
	}
}

// listener sets the address to listen on. An address that other machines can reach
// needs TLS and a bearer token.
func (s scope) listener(a *Agent) {
	address := s.text("listen")
	if strings.EqualFold(address.v, "off") || address.v == "" {
		return
	}
	a.Listen = address.v
	if a.TLSCertFile == "" && a.TLSKeyFile != "" {
		s.record.fault(s.subject(address.at, "tls_key_file"), "Write both, or neither.", errors.New("is set without tls_cert_file"))
	}
	if a.TLSCertFile != "" && a.TLSKeyFile == "" {
		s.record.fault(s.subject(address.at, "tls_cert_file"), "Write both, or neither.", errors.New("is set without tls_key_file"))
	}
	switch err := listen.Check(address.v, a.TLSCertFile != "", a.BearerTokenFile != ""); {
	case errors.Is(err, listen.ErrAddress):
		s.refuse(s.catalog[sectionPoolcast]["listen"], address.where, address.v, fmt.Errorf("%w or off", err))
	case err != nil:
		s.record.fault(address.where, "Write tls_cert_file, tls_key_file and bearer_token_file, or listen on 127.0.0.1.", err)
	}
}
