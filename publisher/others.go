package publisher

import "time"

// maxOthers bounds what is remembered of backends that were never offered.
const maxOthers = 512

// others are the last reports of backends that are not ours, or not yet: an
// array that is first read after cinder-volume has spoken finds its base here.
type others map[string]otherReport

type otherReport struct {
	heard heard
	at    time.Time
}

func (o others) keep(h heard, at time.Time) {
	name := h.identity()
	if _, there := o[name]; !there && len(o) >= maxOthers {
		o.dropOldest()
	}
	o[name] = otherReport{heard: h, at: at}
}

// put keeps the base of a backend that was forgotten.
func (o others) put(name string, b *base) {
	if b == nil || b.fault != nil {
		return
	}
	raw, err := b.set.MarshalJSON()
	if err != nil {
		return
	}
	o[name] = otherReport{heard: heard{host: b.host, cluster: b.cluster, stamp: b.stamp, raw: raw}, at: b.at}
}

func (o others) take(name string) *base {
	r, there := o[name]
	if !there {
		return nil
	}
	delete(o, name)
	var b backend
	b.hear(r.heard, r.at, Options{})
	return b.base
}

func (o others) dropOldest() {
	oldest := ""
	for name, r := range o {
		if oldest == "" || r.at.Before(o[oldest].at) {
			oldest = name
		}
	}
	delete(o, oldest)
}
