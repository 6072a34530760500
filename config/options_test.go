package config

import (
	"strings"
	"testing"
)

// TestOptionsComplete checks the table from which the reference page is made.
func TestOptionsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, o := range Options() {
		name := o.Section + "." + o.Name
		if seen[name] {
			t.Errorf("%s is in the table twice", name)
		}
		seen[name] = true
		if o.Help == "" || o.Name != strings.ToLower(o.Name) || strings.Contains(o.Kind.String(), "(") {
			t.Errorf("%s is incomplete: %+v", name, o)
		}
	}
	for _, o := range AgentOptions() {
		if o.Section != sectionPoolcast || o.Secret || o.Multi {
			t.Errorf("%s cannot be a flag", o.Name)
		}
	}
}

// TestOptionDefaults writes every default into a file and compares the
// configuration with the one of a file without them.
func TestOptionDefaults(t *testing.T) {
	var b strings.Builder
	b.WriteString(minimal)
	section := map[string]string{SectionBackend: "backend_defaults"}
	for _, o := range Options() {
		if o.Default != "" && o.Name != "volume_driver" {
			name := o.Section
			if other := section[name]; other != "" {
				name = other
			}
			b.WriteString("[" + name + "]\n" + o.Name + " = " + o.Default + "\n")
		}
	}
	folder := write(t, map[string]string{"plain.conf": minimal, "full.conf": b.String()})
	plain, full := mustLoad(t, folder+"/plain.conf"), mustLoad(t, folder+"/full.conf")
	for _, cfg := range []*Config{plain, full} {
		for i := range cfg.Backends {
			cfg.Backends[i].File = ""
		}
	}
	if a, b := dump(t, plain), dump(t, full); a != b {
		t.Errorf("written out:\n%s\nleft out:\n%s", b, a)
	}
}
