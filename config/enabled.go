package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/poolcast/poolcast/collector/capability/format"
)

// backends reads every section that enabled_backends names.
func (r *reader) backends(cfg *Config) {
	for _, name := range r.enabled() {
		r.record.begin(name)
		b, ignored := r.enabledBackend(r.backendScope(name))
		switch faults := r.record.end(); {
		case len(faults) > 0:
			cfg.Broken = append(cfg.Broken, Broken{Backend: b, Faults: faults})
		case ignored != nil:
			cfg.Ignored = append(cfg.Ignored, *ignored)
		default:
			cfg.Backends = append(cfg.Backends, b)
		}
	}
	r.warnOfTwins(cfg.Backends)
}

// enabledBackend reads one section, or says why it is not served.
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

// enabled returns the sections to look at. Cinder skips empty names.
func (r *reader) enabled() []string {
	s := r.scopeOf(sectionDefault)
	list := s.list("enabled_backends")
	var names []string
	seen := map[string]bool{}
	for _, name := range list.v {
		if seen[name] {
			s.record.warn(s.subject(list.at, "enabled_backends"), "counts "+shorten(name)+" once", "starts the backend twice")
		}
		if name != "" && !seen[name] {
			names = append(names, name)
		}
		seen[name] = true
	}
	if len(names) == 0 && !list.bad {
		return s.implied(list)
	}
	return names
}

// implied stands in for a missing enabled_backends: every section with a Pure
// driver. Published examples leave it out, and so do operators' snippets.
func (s scope) implied(list value[[]string]) []string {
	var names []string
	for _, section := range s.sections() {
		driver := s.catalog[SectionBackend]["volume_driver"]
		values := s.texts(driver, section)
		if section != sectionShared && len(values) > 0 && strings.HasPrefix(values[len(values)-1].text, pureModule) {
			names = append(names, section)
		}
	}
	if len(names) == 0 {
		s.record.fault(s.subject(list.at, "enabled_backends"), "Write enabled_backends = name, … and a section [name] for each.",
			errors.New("is missing, and no section has a Pure Storage driver"))
		return nil
	}
	s.record.warn(s.subject(list.at, "enabled_backends"),
		"is missing, so every section with a Pure Storage driver is taken: "+strings.Join(names, ", "),
		"does not start cinder-volume without it")
	return names
}

// ignore says why a section is not served: another driver, or no such section.
func (r *reader) ignore(s scope, driver value[string], pure bool) Ignored {
	in := Ignored{Stanza: s.name, Driver: driver.v, Reason: "not a Pure Storage driver"}
	if r.exists(s.name) {
		return in
	}
	in.Reason = "there is no section [" + s.name + "]"
	at := r.scopeOf(sectionDefault).list("enabled_backends").at
	near := format.Nearest(s.name, r.sections())
	if near != "" || pure {
		hint := "Write a section [" + s.name + "], or take the name out of enabled_backends."
		if near != "" {
			hint = "Write " + near + " in enabled_backends?"
		}
		r.record.fault(subject{at, s.name, ""}, hint, errors.New("is named by enabled_backends, but there is no such section"))
		return in
	}
	r.record.warn(subject{at, sectionDefault, "enabled_backends"},
		"names "+s.name+", which has no section and is ignored", "starts it with the LVM driver")
	return in
}

func (s scope) refuseDriver(driver value[string], class string) {
	hint := "Write one of PureISCSIDriver, PureFCDriver, PureNVMEDriver after " + pureModule
	if near := format.Nearest(class, []string{"PureISCSIDriver", "PureFCDriver", "PureNVMEDriver"}); near != "" {
		hint = "Write " + pureModule + near + "?"
	}
	s.record.fault(s.subject(driver.at, "volume_driver"), hint, fmt.Errorf("%s is not a class of Cinder's Pure Storage driver", redact(class)))
}

// warnOfTwins tells of two backends on one array.
func (r *reader) warnOfTwins(backends []Backend) {
	first := map[string]string{}
	for _, b := range backends {
		address := b.Address.String()
		if b.Address.Host == "" {
			continue
		}
		if other, taken := first[address]; taken {
			s := r.backendScope(b.Stanza)
			s.record.warn(s.subject(s.text("san_ip").at, "san_ip"),
				"is the address of ["+other+"] too, so one array is polled and reported twice",
				"does the same and counts its capacity twice")
			continue
		}
		first[address] = b.Stanza
	}
}
