package outcome

import (
	"strings"

	"github.com/poolcast/poolcast/integration/internal/cloud"
)

const realHost = "host-1" // of cinder-volume

// realExtraSpecs are those of the volume type of a setting, in the cloud.
func (s Setting) realExtraSpecs() map[string]string {
	specs := s.extraSpecs()
	specs["volume_backend_name"] = cloud.Pool
	return specs
}

// stanzaOf is the stanza of an array of the scenario, backendOf its backend.
func stanzaOf(array string) string  { return strings.ReplaceAll(array, "-", "_") }
func backendOf(array string) string { return realHost + "@" + stanzaOf(array) + "#" + cloud.Pool }

// arrayOf is the array of a backend, host@stanza#pool.
func arrayOf(backend string) string {
	_, rest, _ := strings.Cut(backend, "@")
	name, _, _ := strings.Cut(rest, "#")
	return strings.ReplaceAll(name, "_", "-")
}
