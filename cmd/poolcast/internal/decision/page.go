package decision

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher/status"
)

// ForPage decides on a volume that is described by the form of the status page or by
// a request to /v1/place.
func ForPage(s config.Scheduler, reports []capability.Report, q status.Query) (status.Decision, error) {
	request := &cinder.Request{Size: q.Size, Zone: q.Zone}
	if len(q.ExtraSpecs) > 0 {
		request.Type = &cinder.VolumeType{Name: "of the form", ExtraSpecs: cinder.ExtraSpecsOf(q.ExtraSpecs)}
	}
	if q.Policy != "strict" && q.Policy != "prefer" {
		return status.Decision{}, fmt.Errorf("policy %q: want strict or prefer", q.Policy)
	}
	engine, err := Engine(s, q.Policy)
	if err != nil {
		return status.Decision{}, err
	}
	d, err := Volume(engine, cinder.NewSnapshot(reports), request)
	if err != nil {
		return status.Decision{}, err
	}
	out := status.Decision{JSON: d.JSON(), Summary: d.Summary(), Fits: d.Chosen != nil}
	for i := range d.Verdicts {
		out.Rows = append(out.Rows, decisionRow(&d.Verdicts[i]))
	}
	return out, nil
}

func decisionRow(v *placement.Verdict) status.DecisionRow {
	row := status.DecisionRow{Backend: v.Backend.Report().Name()}
	if !v.Fits() {
		row.Reason = v.RefusedBy + ": " + v.Reason()
		return row
	}
	row.Rank, row.Weight = strconv.Itoa(v.Rank), placement.FormatWeight(v.Total)
	if v.Tied {
		row.Rank += " (tie)"
	}
	row.Reason = strings.Join(v.Lines(), "; ")
	return row
}
