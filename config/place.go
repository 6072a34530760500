package config

import "slices"

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

// holds reports whether a key has a value that is not empty.
func (l *layer) holds(section, key string) bool {
	return slices.ContainsFunc(l.values(section, key), func(v found) bool { return v.text != "" })
}
