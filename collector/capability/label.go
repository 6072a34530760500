package capability

// Label is a number that extra_capabilities of cinder.conf set in place of a
// measurement.
type Label struct {
	Value    Value `json:"value"`    // as cinder.conf has it
	Measured Value `json:"measured"` // of the array; null if it is not known
}

// Label returns the label under a key, and whether the report has one: its
// capability is the number of cinder.conf and not the measurement.
func (r *Report) Label(key string) (Label, bool) {
	l, ok := r.Labels[key]
	if !ok {
		return l, false
	}
	v, ok := r.Capabilities[key]
	return l, ok && v.Equal(l.Value)
}
