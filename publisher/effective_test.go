package publisher

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

func TestEffectiveEqualsScheduler(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(a *agent, v *cinderVolume)
		want bool // whether there is an effective report
	}{
		{"nothing published", func(a *agent, _ *cinderVolume) { a.Update(newSample(42, 1000)) }, false},
		{"the overlay", func(a *agent, v *cinderVolume) { a.Update(newSample(42, 1000)); v.report() }, true},
		{"cinder-volume alone, as the overlay is suspended", func(a *agent, v *cinderVolume) { a.Update(newSample(42, 5000)); v.report() }, true},
		{"the overlay of the second report", func(a *agent, v *cinderVolume) {
			a.Update(newSample(42, 1000))
			v.report()
			time.Sleep(time.Minute)
			v.report()
		}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, s, volume := newEnvironment(t)
				a := f.start(Options{})
				c.do(a, volume)
				time.Sleep(time.Second)
				effective := a.Effective()
				if (len(effective) == 1) != c.want {
					t.Fatalf("the effective reports are %v", effective)
				}
				if !c.want {
					return
				}
				known := s.held(fa1)
				if len(known) != len(effective[0].Capabilities) || effective[0].Host != fa1 || effective[0].Status != capability.OK {
					t.Errorf("the effective reports are %+v, the scheduler holds %v", effective[0], known)
				}
				for key, v := range effective[0].Capabilities {
					var w capability.Value
					if err := w.UnmarshalJSON([]byte(known[key])); err != nil || !v.Equal(w) {
						t.Errorf("%s is effective as %s, the scheduler holds %s", key, v, known[key])
					}
				}
			})
		})
	}
}

func TestOverlayIsPure(t *testing.T) {
	base := capability.Set{"total_volumes": capability.OfInt(1), "rack": capability.OfString("a")}
	r := newSample(42, 1000)
	r.Capabilities["provisioned_capacity_gb"] = capability.OfFloat(7)
	r.LiveKeys = append(r.LiveKeys, "provisioned_capacity_gb")
	plain, fixed := Overlay(base, r, false), Overlay(base, r, true)
	if n, _ := plain["total_volumes"].Int(); n != 42 || !plain["rack"].Equal(base["rack"]) {
		t.Errorf("the overlay is %v", plain)
	}
	if _, added := plain["provisioned_capacity_gb"]; added {
		t.Error("a key was added that the scheduler computes with")
	}
	if _, added := fixed["provisioned_capacity_gb"]; !added {
		t.Error("fix_provisioned_capacity has no effect")
	}
	if len(base) != 2 {
		t.Errorf("the base was changed: %v", base)
	}
}
