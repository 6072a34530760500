package capability

import (
	"strings"
	"testing"
	"time"
)

func TestReportRoundTrip(t *testing.T) {
	in := Report{
		Host: "ctl1@fa1", Cluster: "c@fa1", Backend: "fa1", Pool: "gold", Zone: "dc1",
		CollectedAt: time.Date(2025, 1, 1, 0, 0, 0, 123456000, time.UTC), Status: Partial,
		Capabilities: Set{KeyFilterFunction: OfString("capabilities.total_volumes < 800")},
	}
	data, err := in.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), "total_volumes < 800") {
		t.Errorf("the function is not readable in %s", data)
	}
	var out Report
	if err := out.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	if out.Identity() != "c@fa1" || !out.CollectedAt.Equal(in.CollectedAt) || !out.Capabilities.Equal(in.Capabilities) {
		t.Errorf("came back as %+v", out)
	}
}

func TestReportWithoutHostIsRefused(t *testing.T) {
	var r Report
	if err := r.UnmarshalJSON([]byte(`{"backend":"x"}`)); err == nil {
		t.Error("a report without a host was read")
	}
}

func TestOverlay(t *testing.T) {
	base := Set{"a": OfInt(1), "b": OfInt(2)}
	got := base.Overlay(Set{"b": OfInt(3)})
	if !got.Equal(Set{"a": OfInt(1), "b": OfInt(3)}) || !base["b"].Equal(OfInt(2)) {
		t.Errorf("overlay gave %v and left %v", got, base)
	}
	got.PutInt("c", nil)
	if _, ok := got["c"]; ok {
		t.Error("a missing number was put")
	}
}

func TestLive(t *testing.T) {
	r := Report{
		Capabilities: Set{KeyTotalVolumes: OfInt(3), KeyArrayModel: OfString("FA-X50R4")},
		LiveKeys:     []string{KeyTotalVolumes, KeyUsecPerRead},
	}
	if got := r.Live(); !got.Equal(Set{KeyTotalVolumes: OfInt(3)}) {
		t.Errorf("live are %v", got)
	}
	for key, want := range map[string]bool{KeyTotalVolumes: true, KeyArrayModel: false, KeyUsecPerRead: false} {
		if r.IsLive(key) != want {
			t.Errorf("IsLive(%s) is %v", key, !want)
		}
	}
}

func TestAged(t *testing.T) {
	begin := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	r := Report{
		CollectedAt:  begin,
		Capabilities: Set{KeyMetricsAge: OfInt(20), KeyTotalVolumes: OfInt(3)},
		LiveKeys:     []string{KeyMetricsAge},
	}
	for elapsed, want := range map[time.Duration]int64{0: 20, 42 * time.Second: 62, -time.Hour: 20} {
		if got, _ := r.Aged(begin.Add(elapsed)).Capabilities[KeyMetricsAge].Int(); got != want {
			t.Errorf("after %s the age is %d s, want %d", elapsed, got, want)
		}
	}
	if got, _ := r.Capabilities[KeyMetricsAge].Int(); got != 20 {
		t.Error("Aged changed the report it was called on")
	}
	r.LiveKeys = nil
	if got, _ := r.Aged(begin.Add(time.Minute)).Capabilities[KeyMetricsAge].Int(); got != 20 {
		t.Error("an age that is not measured was changed")
	}
}

func TestReportName(t *testing.T) {
	for want, r := range map[string]Report{
		"fa1":      {Host: "ctl1@fa1", Backend: "fa1"},
		"ctl1@fa1": {Host: "ctl1@fa1"},
		"c@fa1":    {Host: "ctl1@fa1", Cluster: "c@fa1"},
	} {
		if got := r.Name(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestSpaceFallsBackToSuccessors(t *testing.T) {
	a, b := int64(1), int64(2)
	s := Space{TotalUsed: &b, UsedProvisioned: &b}
	if *s.Used() != b || *s.Provisioned() != b {
		t.Error("the successors are not used")
	}
	s.TotalPhysical, s.TotalProvisioned = &a, &a
	if *s.Used() != a || *s.Provisioned() != a {
		t.Error("the fields of the driver are not used")
	}
}
