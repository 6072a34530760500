package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability/format"
)

// review looks for what is written and not read: our own section strictly, the
// rest of cinder.conf only where it is nearly something that we read.
func (r *reader) review(cfg *Config) {
	r.reviewEnvironment()
	r.otherSources()
	for _, l := range r.layers {
		r.reviewOwn(l)
		r.reviewRabbit(l)
		r.reviewShared(l)
		r.reviewSections(l)
		for _, b := range cfg.Backends {
			r.reviewStanza(l, b.Stanza)
		}
		for _, b := range cfg.Broken {
			r.reviewStanza(l, b.Stanza)
		}
	}
	if len(cfg.Backends) > 0 {
		r.reviewDefaults(cfg)
	}
}

func (r *reader) reviewOwn(l *layer) {
	known := slices.Sorted(maps.Keys(r.catalog[sectionPoolcast]))
	for _, key := range l.keys(sectionPoolcast) {
		r.refuseUnknown(r.lastOf(l, sectionPoolcast, key), key, known)
	}
}

// reviewEnvironment holds variables meant for [poolcast] to the same rule.
func (r *reader) reviewEnvironment() {
	known := slices.Sorted(maps.Keys(r.catalog[sectionPoolcast]))
	for _, name := range slices.Sorted(maps.Keys(r.env)) {
		if key, ours := strings.CutPrefix(name, envName(sectionPoolcast, "")); ours {
			r.refuseUnknown(subject{at: place{file: name}, stanza: sectionPoolcast}, strings.ToLower(key), known)
		}
	}
}

func (r *reader) refuseUnknown(s subject, key string, known []string) {
	if slices.Contains(known, key) {
		return
	}
	hint := "Remove it; poolcast knows " + strings.Join(known, ", ") + "."
	if near := format.Nearest(key, known); near != "" {
		hint = "Write " + near + "?"
	}
	r.record.fault(s, hint, errors.New("is not an option of poolcast"))
}

func (r *reader) reviewRabbit(l *layer) {
	known, others := r.catalog[sectionRabbit], otherRabbit()
	for _, key := range l.keys(sectionRabbit) {
		if known[key] != nil || others[key] {
			continue
		}
		r.record.warn(r.lastOf(l, sectionRabbit, key), "is not an option that oslo.messaging is known to have"+nearHint(key, known),
			"leaves it unread")
	}
}

func (r *reader) reviewShared(l *layer) {
	for _, v := range l.values(sectionShared, "backend_host") {
		r.record.warn(subject{v.at, sectionShared, "backend_host"}, "is not read: write it into each backend's section", "does not read it here either")
	}
}

// reviewSections finds [Default] and the like, which oslo.config takes for a
// section of its own.
func (r *reader) reviewSections(l *layer) {
	for folded, line := range l.headers {
		if written := l.names[folded]; folded != sectionDefault && strings.EqualFold(strip(written), sectionDefault) {
			at := subject{place{file: l.path, line: line, rank: l.rank}, written, ""}
			r.record.warn(at, "is not the section [DEFAULT], and nothing in it is read", "does not read it either")
		}
	}
}

func (r *reader) reviewStanza(l *layer, stanza string) {
	known := slices.Sorted(maps.Keys(r.catalog[SectionBackend]))
	for _, key := range l.keys(stanza) {
		if r.catalog[SectionBackend][key] != nil || !isName(key) {
			continue
		}
		near := format.Nearest(key, known)
		if near == "" {
			continue
		}
		r.record.warn(r.lastOf(l, stanza, key), "is not an option that poolcast reads (is it "+near+"?)", "does not read it either")
	}
}

// reviewDefaults finds backend options in [DEFAULT], where they have had no
// effect on a backend since Ocata.
func (r *reader) reviewDefaults(cfg *Config) {
	for _, l := range r.layers {
		for _, key := range l.keys(sectionDefault) {
			o, ok := r.catalog[SectionBackend][key]
			if !ok || key == "filter_function" || key == "goodness_function" || key == "backend_host" || r.catalog[sectionDefault][key] != nil {
				continue
			}
			if without := r.unset(o, cfg.Backends); without != "" {
				r.record.warn(r.lastOf(l, sectionDefault, key),
					fmt.Sprintf("does not apply to [%s]: write it there or into [backend_defaults]", without),
					"does not apply it to a backend either")
			}
		}
	}
}

// unset names a backend that gets nothing for the option.
func (r *reader) unset(o *Option, backends []Backend) string {
	for _, b := range backends {
		if len(r.find(o, b.Stanza)) == 0 && len(r.find(o, sectionShared)) == 0 {
			return b.Stanza
		}
	}
	return ""
}

func (r *reader) lastOf(l *layer, section, key string) subject {
	s := subject{place{file: l.path, rank: l.rank}, section, key}
	if values := l.values(section, key); len(values) > 0 {
		s.at = values[len(values)-1].at
	}
	return s
}

// isName tells an option from a stray piece of JSON.
func isName(key string) bool {
	return strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
}
