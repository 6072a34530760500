package outcome

import "strings"

// The functions and the condition of the real services. Each arm has the nearest that its
// keys permit: load_percent, a key of poolcast, is the share of queue time in the response
// time (collector/capability), and the stock driver reports both of its writes.
const (
	goodnessPoolcast = "100 - capabilities.load_percent"
	goodnessStock    = "100 - 100 * capabilities.queue_usec_per_write_op / max(capabilities.usec_per_write_op, 1)"
	// thresholdKey and thresholdValue are an extra spec: a write takes at most twice the
	// service time, which is a utilisation of a half.
	thresholdKey   = "capabilities:usec_per_write_op"
	thresholdValue = "<= 500"
)

// goodness is the goodness_function of an arm.
func (a Arm) goodness() string {
	if a == Poolcast {
		return goodnessPoolcast
	}
	return goodnessStock
}

// weigher is scheduler_default_weighers of a setting.
func (s Setting) weigher() string {
	if s == Threshold {
		return string(Capacity)
	}
	return string(s)
}

// volumeType is the name of the volume type of a setting.
func (s Setting) volumeType() string {
	if s == Threshold {
		return "thresholds"
	}
	return "plain"
}

// stanza is the stanza of an array of the scenario.
func stanza(array string) string { return strings.ReplaceAll(array, "-", "_") }

// arrayOf is the array of a backend, host@stanza#pool.
func arrayOf(backend string) string {
	_, rest, _ := strings.Cut(backend, "@")
	name, _, _ := strings.Cut(rest, "#")
	return strings.ReplaceAll(name, "_", "-")
}
