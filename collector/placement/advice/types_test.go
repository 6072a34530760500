package advice

import (
	"errors"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

func engine(t testing.TB) *placement.Engine {
	t.Helper()
	e, err := cinder.NewEngine(cinder.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func volumeType(name string, pairs ...string) cinder.VolumeType {
	v := cinder.VolumeType{Name: name}
	for i := 0; i < len(pairs); i += 2 {
		v.ExtraSpecs = append(v.ExtraSpecs, cinder.Spec(pairs[i], pairs[i+1]))
	}
	return v
}

func TestTypes(t *testing.T) {
	equal := three(t, "", "", "")
	unequal := three(t, "", `{"total_volumes":912}`, `{"total_volumes":5}`)
	for _, c := range []struct {
		name    string
		reports []capability.Report
		specs   []string
		want    []string
	}{
		{"fits all", equal, []string{"volume_backend_name", "gold", "capabilities:multiattach", "<is> True", "labels", "s== a", "capabilities:rack:row", "a"}, nil},
		{"another scope", equal, []string{"pure:iops", "5", "replication_enabled:x", "y"}, nil},
		{"misspelt key", equal, []string{"volume_backend_nam", "gold"}, []string{"error type-unknown-key|volume_backend_name=gold it"}},
		{"misspelt key with scope", equal, []string{"capabilities:multiatach", "<is> True"}, []string{"error type-unknown-key|'capabilities:multiattach=<is> True'"}},
		{"unknown key", equal, []string{"xyzzy", "1"}, []string{"error type-unknown-key|extra_capabilities"}},
		{"unknown member", equal, []string{"capabilities:rack:column", "1"}, []string{"error type-unknown-key|rack:column"}},
		{"key on request", equal, []string{"avg_latency_ms", "<= 1"}, []string{"error type-unknown-key|live_capabilities = avg_latency_ms"}},
		{"misspelt value", equal, []string{"volume_backend_name", "golt"}, []string{"error type-never-matches|did you mean gold?"}},
		{"other vendor", equal, []string{"volume_backend_name", "ceph_slow"}, []string{"note type-of-other-backend|"}},
		{"wrong label", equal, []string{"array_model", "Z"}, []string{"error type-never-matches|The backends report FA-X70R4"}},
		{"boolean as text", equal, []string{"multiattach", "True"}, []string{"error type-never-matches|'multiattach=<is> True'"}},
		{"number as text", equal, []string{"reserved_percentage", "0"}, []string{"error type-never-matches|'reserved_percentage=== 0'"}},
		{"boolean without a space", equal, []string{"multiattach", "<is>True"}, []string{"error type-operator-without-space|'multiattach=<is> True'"}},
		{"limit without a space", equal, []string{"capabilities:total_volumes", "<=800"}, []string{"error type-operator-without-space|'capabilities:total_volumes=<= 800'"}},
		{"less without a space", equal, []string{"total_volumes", "<800"}, []string{"error type-operator-without-space|'total_volumes=<= 800'"}},
		{"an operator that Cinder lacks", equal, []string{"total_volumes", "< 800"}, []string{"error type-operator-without-space|'total_volumes=<= 800'"}},
		{"text without a space", equal, []string{"storage_protocol", "==iSCSI"}, []string{"error type-operator-without-space|'storage_protocol=s== iSCSI'"}},
		{"choice without a space", equal, []string{"storage_protocol", "<or>FC<or>iSCSI"}, []string{"error type-operator-without-space|'storage_protocol=<or> FC <or> iSCSI'"}},
		{"operator in the key", equal, []string{"capabilities:total_volumes<", "800"}, []string{"error type-operator-in-key|--property 'capabilities:total_volumes=<= 800' it"}},
		{"fails", equal, []string{"load_percent", "<in> 5"}, []string{"error type-fails|"}},
		{"too large a reserve", three(t, `{"free_capacity_gb":0,"provisioned_capacity_gb":9000.0}`, `{"provisioned_capacity_gb":9000.0}`, `{"provisioned_capacity_gb":9000.0}`), nil, []string{"error type-no-candidate|CapacityFilter"}},
		{"all excluded", equal, []string{"usec_per_write_op", "<= 100"}, []string{"error live-excludes-all|all 3 arrays that fit otherwise: fa1 200, fa2 200 and fa3 200"}},
		{"one excluded", three(t, "", `{"usec_per_write_op":900}`, ""), []string{"usec_per_write_op", "<= 500"}, []string{"warning live-excludes-some|excludes 1 of 3 arrays now"}},
		{"one excluded from below", three(t, "", `{"data_reduction":1.5}`, ""), []string{"data_reduction", ">= 2"}, []string{"warning live-excludes-some|if all had the value of fa2"}},
		{"close", three(t, "", `{"usec_per_write_op":480}`, ""), []string{"usec_per_write_op", "<= 500"}, []string{"note live-near-limit|1 of 3 arrays within 10 %"}},
		{"all close", equal, []string{"total_volumes", "<= 730"}, []string{"warning live-near-limit|Raise the limit before"}},
		{"far", equal, []string{"total_volumes", "<= 7000"}, []string{"note live-condition|poolcast prefer --types FILE --type it"}},
		{"stale threshold", unequal, []string{"total_volumes", "<= 500"}, []string{"warning threshold-stale|leaves only fa3 of 3 arrays"}},
		{"threshold not stale yet", three(t, "", `{"total_volumes":912}`, `{"total_volumes":650}`), []string{"total_volumes", "<= 800"}, []string{"warning live-excludes-some|"}},
		{"only of those that fit otherwise", three(t, `{"tier":"gold"}`, `{"total_volumes":912}`, ""), []string{"tier", "gold", "total_volumes", "<= 800"}, []string{"note live-condition|none of 1 array"}},
		{"live and absent", three(t, `{"load_percent":null}`, `{"load_percent":null}`, `{"load_percent":null}`), []string{"load_percent", "<= 80"}, []string{"error type-unknown-key|is reported by no backend now"}},
		{"not a number", equal, []string{"total_volumes", "<= many"}, []string{"error live-excludes-all|"}},
		{"a choice", equal, []string{"storage_protocol", "<or> FC <or> iSCSI"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, found := Types(engine(t), c.reports, []cinder.VolumeType{volumeType("it", c.specs...)}, requests())
			expect(t, found, c.want...)
		})
	}
}

func TestTypesListCandidates(t *testing.T) {
	reports := three(t, "", `{"free_capacity_gb":900.0,"max_over_subscription_ratio":9.0}`, `{"multiattach":false}`)
	types := []cinder.VolumeType{volumeType("multi", "multiattach", "<is> True"), volumeType("broken", "load_percent", "<in> 5"), volumeType("plain")}
	candidates, _ := Types(engine(t), reports, types, requests())
	if len(candidates) != 2 || candidates[0].Type != "multi" || candidates[1].Type != "plain" {
		t.Fatalf("got %+v", candidates)
	}
	multi := candidates[0]
	if strings.Join(multi.Fit, " ") != "fa2 fa1" || len(multi.Refused) != 1 || multi.Refused[0].Backend != "fa3" ||
		multi.Refused[0].Filter != cinder.CapabilitiesFilter || !strings.Contains(multi.Refused[0].Reason, "multiattach") {
		t.Errorf("got %+v", multi)
	}
}

// requests are those of a cloud where every zone fits.
func requests() Requests {
	create := func(t *cinder.VolumeType) (*cinder.Request, error) { return &cinder.Request{Size: 1, Type: t}, nil }
	return Requests{Default: create, AnyZone: create}
}

func TestTypesOfZones(t *testing.T) {
	reports := three(t, "", "", "")
	reports[2].Zone = "dc2"
	r := requests()
	r.Default = func(t *cinder.VolumeType) (*cinder.Request, error) {
		return &cinder.Request{Size: 1, Type: t, Zone: "dc3"}, nil
	}
	candidates, found := Types(engine(t), reports, []cinder.VolumeType{volumeType("it")}, r)
	expect(t, found, "note type-without-default|dc1 is not dc3")
	if len(candidates) != 1 || len(candidates[0].Fit) != 3 || candidates[0].First != nil {
		t.Errorf("got %+v", candidates)
	}
	r.AnyZone = func(*cinder.VolumeType) (*cinder.Request, error) { return nil, errors.New("no zone dc9") }
	candidates, found = Types(engine(t), reports, []cinder.VolumeType{volumeType("it")}, r)
	expect(t, found, "error type-refused|no zone dc9")
	if len(candidates) != 1 || len(candidates[0].Fit) != 0 || len(candidates[0].Refused) != 3 || candidates[0].Refused[0].Filter != "cinder-api" {
		t.Errorf("got %+v", candidates)
	}
}

func TestTypesWithReportsThatFail(t *testing.T) {
	reports := three(t, `{"reserved_percentage":"many"}`, "", "")
	candidates, found := Types(engine(t), reports, []cinder.VolumeType{volumeType("a"), volumeType("b")}, requests())
	expect(t, found, "error scheduler-fails|reserved_percentage")
	if len(candidates) != 0 {
		t.Errorf("candidates: %+v", candidates)
	}
}

func FuzzTypes(f *testing.F) {
	for _, seed := range []string{"<= 800", "<is>True", "<or> a <or> b", "<in> x", "800", "s== gold", "= 5", "<"} {
		f.Add("capabilities:total_volumes", seed)
	}
	f.Add("total_volumes<", "800")
	f.Add("rack:row:x", "a")
	f.Add("capabilities:", "")
	f.Add("", "")
	reports := three(f, "", `{"total_volumes":912}`, `{"load_percent":null}`)
	e := engine(f)
	f.Fuzz(func(t *testing.T, key, value string) {
		candidates, found := Types(e, reports, []cinder.VolumeType{volumeType("it", key, value)}, requests())
		fits := len(candidates) == 1 && len(candidates[0].Fit) > 0
		if !fits && len(found) == 0 {
			t.Errorf("nothing fits %q = %q, and there is no finding", key, value)
		}
	})
}
