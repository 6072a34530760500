package configcheck

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/advice"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/config"
)

// Location is where an option is, in the form of messages about configuration.
func Location(file string, line int, stanza, key string) string {
	where := file
	if line > 0 {
		where = fmt.Sprintf("%s:%d", file, line)
	}
	if stanza != "" {
		where += ": [" + stanza + "]"
	}
	if key != "" {
		where += " " + key
	}
	return where
}

// Place is the location of an option of a section.
func Place(cfg *config.Config, stanza, key string) string {
	file, line := cfg.Place(stanza, key)
	return Location(file, line, stanza, key)
}

// Finding returns a finding about the configuration.
func Finding(s advice.Severity, code, where string) advice.Finding {
	return advice.Finding{Severity: s, Topic: advice.ConfigurationTopic, Code: code, Where: where}
}

// Faults are the findings for which the configuration is refused.
func Faults(faults config.FieldErrors) []advice.Finding {
	var found []advice.Finding
	for _, e := range faults {
		f := Finding(advice.Error, "configuration-fault", Location(e.File, e.Line, e.Stanza, e.Key))
		f.Problem, f.Fix = e.Err.Error(), e.Hint
		f.Reason = "poolcast does not start with it"
		found = append(found, f)
	}
	return found
}

// SectionFault is the code of a fault that costs one backend.
const SectionFault = "section-fault"

// Broken are findings about backends that are not served, each fault once.
func Broken(broken []config.Broken) []advice.Finding {
	var found []advice.Finding
	for _, e := range BrokenFaults(broken) {
		f := Finding(advice.Error, SectionFault, Location(e.File, e.Line, e.Stanza, e.Key))
		f.Problem, f.Fix = e.Err.Error(), e.Hint
		f.Reason = "poolcast leaves this backend out and serves the others"
		found = append(found, f)
	}
	return found
}

// BrokenFaults are the faults of backends, each once.
func BrokenFaults(broken []config.Broken) config.FieldErrors {
	var all config.FieldErrors
	seen := map[string]bool{}
	for _, b := range broken {
		for _, e := range b.Faults {
			if !seen[e.Error()] {
				seen[e.Error()] = true
				all = append(all, e)
			}
		}
	}
	return all
}

// Warnings are findings about what poolcast reads in another way than Cinder.
func Warnings(cfg *config.Config) []advice.Finding {
	if cfg == nil {
		return nil
	}
	var found []advice.Finding
	for _, w := range cfg.Warnings {
		f := Finding(advice.Warning, "configuration-warning", Location(w.File, w.Line, w.Stanza, w.Key))
		f.Problem, f.Reason, f.Fix = w.Message, "Cinder itself "+w.Cinder, w.Hint
		if w.Serious {
			f.Severity, f.Code = advice.Error, "configuration-error"
		}
		found = append(found, f)
	}
	for _, i := range cfg.Ignored {
		f := Finding(advice.Note, "ignored-backend", "["+i.Stanza+"]")
		f.Problem = "poolcast leaves the backend alone: " + i.Reason
		f.Reason = "its reports stay those of cinder-volume"
		found = append(found, f)
	}
	return found
}

// Settings are findings about the settings of a valid configuration.
func Settings(cfg *config.Config) []advice.Finding {
	return slices.Concat(unverified(cfg), ignoredCertificates(cfg), readableByOthers(cfg), unusedFunctions(cfg))
}

// stanzasWhere lists the backends for which something holds.
func stanzasWhere(cfg *config.Config, holds func(*config.Backend) bool) []string {
	var names []string
	for i := range cfg.Backends {
		if holds(&cfg.Backends[i]) {
			names = append(names, cfg.Backends[i].Stanza)
		}
	}
	return names
}

func unverified(cfg *config.Config) []advice.Finding {
	names := stanzasWhere(cfg, func(b *config.Backend) bool { return !b.VerifyTLS })
	if len(names) == 0 {
		return nil
	}
	f := Finding(advice.Warning, "certificate-not-verified", Place(cfg, names[0], "driver_ssl_cert_verify"))
	f.Problem = "the certificate of " + format.List(names) + " is not verified"
	f.Reason = "anyone between this host and the array can read its API token. cinder-volume with py-pure-client 1.96 does not look at driver_ssl_cert_path, so an authority of your own must be one of the system's, or cinder-volume cannot connect to the array"
	f.Fix = "Add your authority to the system's certificates, or set SSL_CERT_FILE in the environment of cinder-volume and poolcast; then write driver_ssl_cert_verify = true"
	return []advice.Finding{f}
}

// ignoredCertificates warns of the SDK of the Cinder driver, which sets the
// path as ssl_cert while its transport looks at ssl_ca_cert (py-pure-client
// 1.96, pypureclient/_helpers.py and _transport/rest.py).
func ignoredCertificates(cfg *config.Config) []advice.Finding {
	names := stanzasWhere(cfg, func(b *config.Backend) bool { return b.VerifyTLS && b.CAPath != "" })
	if len(names) == 0 {
		return nil
	}
	f := Finding(advice.Warning, "certificate-path-unread", Place(cfg, names[0], "driver_ssl_cert_path"))
	f.Problem = "poolcast trusts the certificates of driver_ssl_cert_path for " + format.List(names) + ", and cinder-volume with py-pure-client 1.96 does not look at them"
	f.Reason = "cinder-volume verifies against the system's certificates alone, and cannot reach an array with one of your own authority"
	f.Fix = "Add the certificate to the system's, or set SSL_CERT_FILE in the environment of cinder-volume"
	return []advice.Finding{f}
}

// secretFile is a file that others should not read, and why.
type secretFile struct {
	path  string
	holds []string
}

func secretFiles(cfg *config.Config) []secretFile {
	var files []secretFile
	add := func(path, holds string) {
		if path == "" {
			return
		}
		at := slices.IndexFunc(files, func(s secretFile) bool { return s.path == path })
		if at < 0 {
			at, files = len(files), append(files, secretFile{path: path})
		}
		if !slices.Contains(files[at].holds, holds) {
			files[at].holds = append(files[at].holds, holds)
		}
	}
	for _, s := range cfg.Secrets {
		add(s.File, s.Key)
	}
	for i := range cfg.Backends {
		add(cfg.Backends[i].Credential.File, "an API token")
	}
	add(cfg.Agent.BearerTokenFile, "the bearer token")
	add(cfg.Agent.TLSKeyFile, "a private key")
	add(cfg.Bus.TLS.KeyFile, "a private key")
	return files
}

// Secrets are findings about who can read secrets.
func Secrets(cfg *config.Config) []advice.Finding {
	return append(readableByOthers(cfg), unverified(cfg)...)
}

func readableByOthers(cfg *config.Config) []advice.Finding {
	var found []advice.Finding
	for _, s := range secretFiles(cfg) {
		info, err := os.Stat(s.path)
		if err != nil || info.Mode().Perm()&0o004 == 0 {
			continue
		}
		f := Finding(advice.Warning, "readable-by-others", s.path)
		f.Problem = fmt.Sprintf("every user of this host can read the file (%s), and it holds %s", info.Mode().Perm(), format.List(s.holds))
		f.Reason = "with the token of an array, its volumes can be deleted"
		f.Fix = "chmod o-rwx " + s.path
		found = append(found, f)
	}
	return found
}

// Pinned finds extra_capabilities that replace a measurement: one finding
// for each key, since arrays of one pool usually have the same.
// The measurement is added as far as reports have it.
func Pinned(cfg *config.Config, reports []capability.Report) []advice.Finding {
	first := map[string]*config.Backend{}
	values := map[string][]string{}
	for i := range cfg.Backends {
		b := &cfg.Backends[i]
		for key, v := range b.Extra {
			k, known := capability.LookupKey(key)
			isLabel := k.Kind == capability.String && !k.Driver && !k.History
			if !known || isLabel || slices.Contains(b.LiveCapabilities, key) {
				continue
			}
			if first[key] == nil {
				first[key] = b
			}
			values[key] = append(values[key], b.Stanza+" "+v.String()+measured(reports, b, key))
		}
	}
	var found []advice.Finding
	for _, key := range slices.Sorted(maps.Keys(first)) {
		found = append(found, pinnedKey(cfg, first[key], key, values[key]))
	}
	return found
}

// measured is what a report has measured in place of a label, in parentheses; "" if
// that is not known.
func measured(reports []capability.Report, b *config.Backend, key string) string {
	for i := range reports {
		if reports[i].Identity() != b.Identity() {
			continue
		}
		if l, ok := reports[i].Label(key); ok && !l.Measured.IsNull() {
			f, _ := l.Measured.Float()
			return " (measured " + format.Significant(f, 4) + ")"
		}
	}
	return ""
}

func pinnedKey(cfg *config.Config, b *config.Backend, key string, values []string) advice.Finding {
	k, _ := capability.LookupKey(key)
	f := Finding(advice.Warning, "pinned-key", Place(cfg, b.Stanza, "extra_capabilities"))
	f.Problem = fmt.Sprintf("%s is pinned: %s", key, format.List(values))
	f.Reason = "extra_capabilities replace what is measured, so the scheduler decides on a number that never changes"
	f.Fix = "Remove the key, or write live_capabilities = " + key + " into the section, or into [poolcast], to keep the measurement"
	switch {
	case k.OnRequest:
		f.Severity = advice.Note
	case k.Origin != capability.FromArray:
		f.Reason = "extra_capabilities replace the value of the option or driver (" + k.Source + ")"
		f.Fix = "Remove the key from extra_capabilities"
	}
	return f
}

// unusedFunctions finds functions that no filter or weigher evaluates, and weighers
// without a function.
func unusedFunctions(cfg *config.Config) []advice.Finding {
	filtering := stanzasWhere(cfg, func(b *config.Backend) bool { return b.FilterFunction != nil })
	rating := stanzasWhere(cfg, func(b *config.Backend) bool { return b.GoodnessFunction != nil })
	var found []advice.Finding
	if len(filtering) > 0 && !slices.Contains(cfg.Scheduler.Filters, cinder.DriverFilter) {
		found = append(found, unused(cfg, filtering, "filter_function", "scheduler_default_filters", append(slices.Clone(cfg.Scheduler.Filters), cinder.DriverFilter)))
	}
	weighs := slices.Contains(cfg.Scheduler.Weighers, cinder.GoodnessWeigher)
	if len(rating) > 0 && !weighs {
		found = append(found, unused(cfg, rating, "goodness_function", "scheduler_default_weighers", append(slices.Clone(cfg.Scheduler.Weighers), cinder.GoodnessWeigher)))
	}
	if without := len(cfg.Backends) - len(rating); weighs && without > 0 {
		f := Finding(advice.Warning, "goodness-missing", Place(cfg, "DEFAULT", "scheduler_default_weighers"))
		f.Problem = "GoodnessWeigher is on, and no goodness_function is set for " + format.List(stanzasWhere(cfg, func(b *config.Backend) bool { return b.GoodnessFunction == nil }))
		f.Reason = "such a backend has a goodness of 0 and is ranked below every other, and the scheduler logs a warning for each request"
		f.Fix = "Write goodness_function into [DEFAULT], which counts for every backend without its own"
		found = append(found, f)
	}
	return found
}

func unused(cfg *config.Config, stanzas []string, option, list string, with []string) advice.Finding {
	f := Finding(advice.Warning, "function-unused", Place(cfg, stanzas[0], option))
	f.Problem = fmt.Sprintf("%s of %s is set, and %s is not in %s", option, format.List(stanzas), with[len(with)-1], list)
	f.Reason = "no filter or weigher evaluates the function, so it has no effect"
	f.Fix = list + " = " + strings.Join(with, ",") + " in [DEFAULT] of every cinder-scheduler"
	return f
}
