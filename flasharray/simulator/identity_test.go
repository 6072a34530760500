package simulator_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/poolcast/poolcast/flasharray/simulator"
)

// num reads a number; null and absent are 0, as in the identities.
func num(o map[string]any, name string) float64 {
	f, _ := o[name].(float64)
	return f
}

func space(o map[string]any) map[string]any {
	s, _ := o["space"].(map[string]any)
	return s
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// checkSpace checks the identities of a space, as found in recorded arrays.
func checkSpace(t *testing.T, where string, s map[string]any) {
	t.Helper()
	parts := num(s, "unique") + num(s, "snapshots") + num(s, "shared") + num(s, "system") + num(s, "replication")
	if s["total_physical"] != nil {
		near(t, where+" total_physical", num(s, "total_physical"), parts, 0)
	}
	if s["total_used"] != nil {
		near(t, where+" total_used", num(s, "total_used"), parts, 0)
	}
	if s["virtual"] != nil && s["thin_provisioning"] != nil && num(s, "virtual") > 0 {
		written := 1 - num(s, "thin_provisioning")
		near(t, where+" virtual", num(s, "virtual"), num(s, "total_provisioned")*written, 1e-8*num(s, "total_provisioned")+1)
		near(t, where+" total_reduction", num(s, "total_reduction"), num(s, "data_reduction")/written, 1e-3)
	}
}

// checkLoad checks the identities of a performance sample.
func checkLoad(t *testing.T, where string, o map[string]any) {
	t.Helper()
	reads, writes, mirrored := num(o, "reads_per_sec"), num(o, "writes_per_sec"), num(o, "mirrored_writes_per_sec")
	in, out, across := num(o, "write_bytes_per_sec"), num(o, "read_bytes_per_sec"), num(o, "mirrored_write_bytes_per_sec")
	near(t, where+" bytes_per_read", num(o, "bytes_per_read"), out/max(reads, 1), 1)
	near(t, where+" bytes_per_write", num(o, "bytes_per_write"), in/max(writes, 1), 1)
	near(t, where+" bytes_per_op", num(o, "bytes_per_op"), (in+out+across)/max(reads+writes+mirrored, 1), 1)
	for _, kind := range []string{"read", "write", "mirrored_write"} {
		total := num(o, "usec_per_"+kind+"_op")
		near(t, where+" usec_per_"+kind+"_op", total, num(o, "service_usec_per_"+kind+"_op")+num(o, "queue_usec_per_"+kind+"_op"), 1)
	}
}

func TestIdentitiesOfAllFrames(t *testing.T) {
	all, err := simulator.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		t.Run(f.Name, func(t *testing.T) {
			a := simulator.New(f, simulator.Options{})
			l := environmentOf(t, a, simulator.ServeOptions{})
			for n := range a.Frames() {
				a.SetFrame(n)
				for _, path := range []string{"arrays", "arrays/space", "volumes", "volumes/space", "hosts", "pods", "volume-snapshots"} {
					p := l.get(path + "?limit=40&offset=" + fmt.Sprint(20*n))
					for _, o := range append(p.Items, p.Total...) {
						checkSpace(t, path, space(o))
					}
				}
				for _, path := range []string{"arrays/performance", "volumes/performance", "hosts/performance"} {
					p := l.get(path + "?limit=40")
					for _, o := range append(p.Items, p.Total...) {
						checkLoad(t, path, o)
					}
				}
			}
		})
	}
}

// TestSumsOverObjects checks that the sums over volumes and hosts equal the values
// of the array.
func TestSumsOverObjects(t *testing.T) {
	l := newEnvironment(t, "flasharray-x-01", simulator.Options{})
	l.array.SetFrame(2)
	whole := l.get("arrays/performance").Items[0]
	for _, path := range []string{"volumes/performance", "hosts/performance"} {
		total := l.get(path).Total[0]
		for _, name := range []string{"reads_per_sec", "writes_per_sec", "read_bytes_per_sec", "write_bytes_per_sec", "usec_per_read_op"} {
			near(t, path+" "+name, num(total, name), num(whole, name), 0)
		}
	}
	array, volumes := space(l.get("arrays/space").Items[0]), space(l.get("volumes?destroyed=false&total_only=true").Total[0])
	for _, name := range []string{"unique", "snapshots", "total_provisioned"} {
		near(t, "volumes "+name, num(volumes, name), num(array, name), 1<<30)
	}
}

func TestTotalIsSumOfItems(t *testing.T) {
	l := newEnvironment(t, "flasharray-r-01", simulator.Options{})
	p := l.get("volumes")
	sums := map[string]float64{}
	for _, v := range p.Items {
		sums["provisioned"] += num(v, "provisioned")
		for name := range space(v) {
			sums[name] += num(space(v), name)
		}
	}
	total := p.Total[0]
	near(t, "provisioned", num(total, "provisioned"), sums["provisioned"], 0)
	for _, name := range []string{"unique", "snapshots", "virtual", "total_provisioned", "total_physical", "total_used"} {
		near(t, name, num(space(total), name), sums[name], 0)
	}
	for _, name := range []string{"id", "name", "serial", "destroyed"} {
		if total[name] != nil {
			t.Errorf("total has %s %v, want null", name, total[name])
		}
	}
}

func TestEvergreenVariants(t *testing.T) {
	for name, physical := range map[string]bool{"flasharray-eg1-01": true, "flasharray-eg1-02": false} {
		l := newEnvironment(t, name, simulator.Options{})
		s := space(l.get("arrays/space").Items[0])
		for _, null := range []string{"total_provisioned", "data_reduction", "total_reduction", "thin_provisioning"} {
			if v, present := s[null]; v != nil || !present {
				t.Errorf("%s: %s is %v, present: %v; want null", name, null, v, present)
			}
		}
		if got := s["total_physical"] != nil; got != physical {
			t.Errorf("%s: total_physical is %v", name, s["total_physical"])
		}
		if num(s, "used_provisioned") == 0 || num(s, "total_used") == 0 {
			t.Errorf("%s: space has no used_provisioned or total_used: %v", name, s)
		}
		if service := l.get("subscriptions").Items[0]["service"]; service != "Evergreen//One" {
			t.Errorf("%s: service is %v", name, service)
		}
	}
}
