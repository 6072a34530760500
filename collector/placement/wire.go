package placement

import (
	"bytes"
	"encoding/json"
)

// wireDecision is a decision as programs read it.
type wireDecision struct {
	Chosen   *string       `json:"chosen"`
	Fit      int           `json:"fit"`
	Error    string        `json:"error,omitempty"`
	SetAside []Condition   `json:"set_aside,omitempty"`
	Backends []wireVerdict `json:"backends"`
}

type wireVerdict struct {
	Backend   string      `json:"backend"`
	Rank      int         `json:"rank,omitempty"`
	Tied      bool        `json:"tied,omitempty"`
	Total     *float64    `json:"total,omitempty"`
	Scores    []wireScore `json:"scores,omitempty"`
	RefusedBy string      `json:"refused_by,omitempty"`
	Reason    string      `json:"reason,omitempty"`
}

type wireScore struct {
	Weigher    string  `json:"weigher"`
	Raw        float64 `json:"raw"`
	Normalised float64 `json:"normalised"`
	Multiplier float64 `json:"multiplier"`
	Weighted   float64 `json:"weighted"`
	Reason     string  `json:"reason,omitempty"`
}

// MarshalJSON writes the whole decision with every reason in words.
func (d *Decision) MarshalJSON() ([]byte, error) {
	w := wireDecision{Fit: d.Fit, SetAside: d.SetAside, Backends: make([]wireVerdict, len(d.Verdicts))}
	if d.Chosen != nil {
		id := d.Chosen.Backend.ID()
		w.Chosen = &id
	} else {
		w.Error = (&NoPoolError{Decision: d}).Error()
	}
	for i := range d.Verdicts {
		w.Backends[i] = d.Verdicts[i].wire()
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false) // reasons are full of < and >
	err := enc.Encode(w)
	return bytes.TrimSpace(buf.Bytes()), err
}

func (v *Verdict) wire() wireVerdict {
	w := wireVerdict{Backend: v.Backend.ID(), Rank: v.Rank, Tied: v.Tied, RefusedBy: v.RefusedBy, Reason: v.Reason()}
	if v.Fits() {
		w.Total = &v.Total
	}
	for k, s := range v.Scores {
		w.Scores = append(w.Scores, wireScore{
			Weigher: s.Weigher, Raw: s.Raw, Normalised: s.Normalised,
			Multiplier: s.Multiplier, Weighted: s.Weighted, Reason: v.ScoreReason(k),
		})
	}
	return w
}
