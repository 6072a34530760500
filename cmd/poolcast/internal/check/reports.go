package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/configcheck"
	"github.com/poolcast/poolcast/collector"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/advice"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/config"
)

// arrayFindings are about what could not be read of an array.
func arrayFindings(cfg *config.Config, r collector.Result) []advice.Finding {
	finding := func(code string) advice.Finding {
		return advice.Finding{Severity: advice.Warning, Topic: advice.ArrayTopic, Code: code, Where: configcheck.Place(cfg, r.Backend, "san_ip")}
	}
	if r.Err != nil {
		f := finding("array-not-read")
		f.Problem = r.Err.Error()
		f.Reason = "its reports were not checked, and poolcast would leave those of cinder-volume unchanged"
		f.Fix = "poolcast --dry-run --backend " + r.Backend + " --log-level debug"
		return []advice.Finding{f}
	}
	var found []advice.Finding
	for _, fault := range r.Stats.Faults {
		f := finding("array-partly-read")
		f.Problem = fmt.Sprintf("%s: %v", fault.Part, fault.Err)
		f.Reason = "the keys made of it are absent from the report"
		f.Fix = "Give the API user the role it lacks, or leave it if the array does not have it"
		found = append(found, f)
	}
	return found
}

// functions lists each function once, with the reports it is evaluated on.
func functions(cfg *config.Config, reports []capability.Report) []advice.Function {
	var all []advice.Function
	for i := range cfg.Backends {
		b := &cfg.Backends[i]
		for _, f := range []advice.Function{
			{Option: capability.KeyFilterFunction, Text: orEmpty(b.FilterFunction)},
			{Option: capability.KeyGoodnessFunction, Text: orEmpty(b.GoodnessFunction)},
		} {
			if f.Text == "" {
				continue
			}
			at := slices.IndexFunc(all, func(g advice.Function) bool { return g.Option == f.Option && g.Text == f.Text })
			if at < 0 {
				f.Where = configcheck.Place(cfg, b.Stanza, f.Option)
				at, all = len(all), append(all, f)
			}
			for _, r := range reports {
				if r.Host == b.Host {
					all[at].Reports = append(all[at].Reports, r)
				}
			}
		}
	}
	return all
}

// policy is what decides whether an automatic ratio stacks volumes.
func policy(cfg *config.Config) advice.OverSubscription {
	p := advice.OverSubscription{
		WeighsCapacity: slices.Contains(cfg.Scheduler.Weighers, cinder.CapacityWeigher) && cfg.Scheduler.CapacityMultiplier > 0,
	}
	for _, b := range cfg.Backends {
		_, pinned := b.Extra[capability.KeyMaxOverSubscription]
		if b.AutomaticRatio && (!pinned || slices.Contains(b.LiveCapabilities, capability.KeyMaxOverSubscription)) {
			p.Automatic = append(p.Automatic, b.Host)
		}
	}
	return p
}

// engineFinding is about settings of the scheduler with which it cannot decide.
func engineFinding(cfg *config.Config, err error) advice.Finding {
	f := configcheck.Finding(advice.Warning, "unusable-scheduler", configcheck.Place(cfg, "DEFAULT", "scheduler_default_weighers"))
	f.Problem = strings.ReplaceAll(err.Error(), "\n", "; ")
	f.Reason = "volume types cannot be checked as this cloud's scheduler decides"
	f.Fix = "Correct the option"
	return f
}

// leftOutFindings are about plug-ins that are not Cinder's own, without which types are
// checked.
func leftOutFindings(cfg *config.Config, leftOut []placement.LeftOut) []advice.Finding {
	options := map[string]string{
		"filter": "scheduler_default_filters", "weigher": "scheduler_default_weighers", "handler": "scheduler_weight_handler",
	}
	var found []advice.Finding
	for _, l := range leftOut {
		f := configcheck.Finding(advice.Warning, "unknown-plugin", configcheck.Place(cfg, "DEFAULT", options[l.Kind]))
		f.Problem = l.String()
		f.Reason = "types are checked without this " + l.Kind + ", which may decide otherwise; a scheduler without that class does not start"
		f.Fix = "Correct " + options[l.Kind] + "; leave it if that is a plug-in of your own"
		found = append(found, f)
	}
	return found
}

// WithLiveKeys sets the live keys of saved reports: those that are measured, and
// not pinned by extra_capabilities.
func WithLiveKeys(reports []capability.Report, cfg *config.Config) []capability.Report {
	pinned := map[string]func(string) bool{}
	for i := range cfg.Backends {
		b := &cfg.Backends[i]
		pinned[b.Host] = func(key string) bool {
			_, set := b.Extra[key]
			return set && !slices.Contains(b.LiveCapabilities, key)
		}
	}
	out := slices.Clone(reports)
	for i := range out {
		out[i].LiveKeys = nil
		isPinned := pinned[out[i].Host]
		for _, key := range out[i].Capabilities.SortedKeys() {
			k, known := capability.LookupKey(key)
			measured := known && (k.Origin == capability.FromArray || k.Origin == capability.FromAgent)
			if measured && (isPinned == nil || !isPinned(key)) {
				out[i].LiveKeys = append(out[i].LiveKeys, key)
			}
		}
	}
	return out
}

// labelFindings are about types with conditions on labels of cinder.conf.
func labelFindings(reports []capability.Report, types []cinder.VolumeType) []advice.Finding {
	var found []advice.Finding
	for i := range types {
		keys := (&cinder.Request{Type: &types[i]}).ConditionKeys()
		notes := advice.LabelNotes(reports, func(*capability.Report) []string { return keys })
		if len(notes) == 0 {
			continue
		}
		last := len(notes) - 1
		found = append(found, advice.Finding{
			Severity: advice.Note, Topic: advice.TypeTopic, Code: "type-reads-label", Where: "type " + types[i].Name,
			Problem: strings.Join(notes[:last], "; "),
			Reason:  "the condition is on a number that never changes, and not on the array",
			Fix:     strings.ToUpper(notes[last][:1]) + notes[last][1:],
		})
	}
	return found
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
