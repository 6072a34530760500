package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher/status"
)

// placeForPage answers a question of the status page.
func placeForPage(s config.Scheduler, reports []capability.Report, q status.Query) (status.Answer, error) {
	request := &cinder.Request{Size: q.Size, Zone: q.Zone}
	if len(q.Properties) > 0 {
		request.Type = &cinder.VolumeType{Name: "of the form"}
	}
	for _, key := range slices.Sorted(maps.Keys(q.Properties)) {
		request.Type.ExtraSpecs = append(request.Type.ExtraSpecs, cinder.Spec(key, q.Properties[key]))
	}
	if q.Policy != "strict" && q.Policy != "prefer" {
		return status.Answer{}, fmt.Errorf("policy %q: want strict or prefer", q.Policy)
	}
	engine, err := setup.PlacementEngine(s, q.Policy)
	if err != nil {
		return status.Answer{}, err
	}
	found, err := placeOne(engine, cinder.NewSnapshot(reports), request)
	if err != nil {
		return status.Answer{}, err
	}
	out := status.Answer{JSON: found.json(q.Policy), Summary: found.summary(), Fits: found.fits()}
	for i := range found.decision.Verdicts {
		out.Rows = append(out.Rows, answerRow(&found.decision.Verdicts[i]))
	}
	return out, nil
}

func answerRow(v *placement.Verdict) status.AnswerRow {
	row := status.AnswerRow{Backend: backendName(v.Backend.Report())}
	if !v.Fits() {
		row.Verdict = v.RefusedBy + ": " + v.Reason()
		return row
	}
	row.Rank, row.Total = strconv.Itoa(v.Rank), weight(v.Total)
	if v.Tied {
		row.Rank += " (tie)"
	}
	row.Verdict = strings.Join(scoreLines(v), "; ")
	return row
}
