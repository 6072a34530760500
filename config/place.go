package config

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
