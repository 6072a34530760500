package check

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/configcheck"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/advice"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher"
)

// Bus is what was received from cinder-volume on the message bus.
type Bus struct {
	Session  publisher.Session
	Bases    map[string]publisher.BaseReport    // by identity
	Backends map[string]publisher.BackendStatus // by identity
	Took     time.Duration
}

// Listen listens until a report of every backend is received, or for the time
// given, and shows the progress. It publishes nothing.
func Listen(ctx context.Context, cfg *config.Config, reports []capability.Report, longest time.Duration, screen *text.Screen) (*Bus, error) {
	progress := screen.Begin(ctx, "listening for cinder-volume on the bus", text.AtMost(longest))
	defer progress.Stop()
	o := setup.BusOptions(cfg, zerolog.Nop())
	o.ListenOnly, o.Standalone = true, false
	p, err := publisher.New(o)
	if err != nil {
		return nil, exit.With(exit.Config, err)
	}
	for _, r := range reports {
		p.Update(r)
	}
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	start := time.Now()
	bus := waitForReports(ctx, p, cfg, progress)
	bus.Took = time.Since(start)
	cancel()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		return nil, err
	}
	return bus, nil
}

func waitForReports(ctx context.Context, p *publisher.Publisher, cfg *config.Config, progress *text.Progress) *Bus {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		b := received(p)
		missing := b.missing(cfg)
		progress.Set(len(cfg.Backends)-missing, len(cfg.Backends), "report")
		if missing == 0 {
			return b
		}
		select {
		case <-ctx.Done():
			return b
		case <-tick.C:
		}
	}
}

func received(p *publisher.Publisher) *Bus {
	status := p.Status()
	b := &Bus{Session: status.Session, Bases: map[string]publisher.BaseReport{}, Backends: map[string]publisher.BackendStatus{}}
	for _, base := range p.BaseReports() {
		b.Bases[base.Identity] = base
	}
	for _, backend := range status.Backends {
		b.Backends[backend.Identity] = backend
	}
	return b
}

// missing is the number of configured backends of which no report was received.
func (b *Bus) missing(cfg *config.Config) int {
	n := 0
	for i := range cfg.Backends {
		if _, received := b.Bases[cfg.Backends[i].Identity()]; !received {
			n++
		}
	}
	return n
}

// base is the base report of a backend, nil if none was received.
func (b *Bus) base(identity string) capability.Set {
	if b == nil {
		return nil
	}
	return b.Bases[identity].Capabilities
}

// overlaid are the reports as the scheduler would receive them.
func (b *Bus) overlaid(cfg *config.Config, reports []capability.Report) []capability.Report {
	out := slices.Clone(reports)
	for i := range out {
		base := b.base(out[i].Identity())
		if base == nil {
			continue
		}
		if cause, _ := publisher.SuspendCause(base, out[i]); cause != publisher.NoCause || !cfg.Agent.Overlay {
			out[i].Capabilities = base
			continue
		}
		out[i].Capabilities = publisher.Overlay(base, out[i], cfg.Agent.FixProvisionedCapacity)
	}
	return out
}

// busFindings compares names and reports with those on the bus.
func (r *Result) busFindings(reports []capability.Report) []advice.Finding {
	if r.Bus.Session.State != publisher.Ready && r.Bus.Session.State != publisher.Blocked {
		return []advice.Finding{r.busUnavailable()}
	}
	var bases []advice.BaseReport
	for _, identity := range slices.Sorted(maps.Keys(r.Bus.Bases)) {
		b := r.Bus.Bases[identity]
		bases = append(bases, advice.BaseReport{Identity: b.Identity, Host: b.Host, Cluster: b.Cluster, Capabilities: b.Capabilities})
	}
	byHost := map[string]capability.Report{}
	for _, r := range reports {
		byHost[r.Host] = r
	}
	var named []advice.Backend
	for i := range r.Config.Backends {
		b := &r.Config.Backends[i]
		file, line := r.Config.Place("DEFAULT", "host")
		n := advice.Backend{
			Report: capability.Report{Host: b.Host, Cluster: b.Cluster, Backend: b.Stanza, Capabilities: configured(b, byHost[b.Host])},
			Where:  configcheck.Location(b.File, b.Line, b.Stanza, ""), File: orFile(file, line, b.File),
		}
		if s := r.Bus.Backends[b.Identity()]; s.State == publisher.Listening || s.Cause == publisher.NoRecentBase {
			n.Detail = s.Detail
		}
		named = append(named, n)
	}
	return append(advice.Identity(named, bases, r.Bus.Took), r.baseFindings()...)
}

// orFile is the file of a line, or another one if there is no line.
func orFile(file string, line int, otherwise string) string {
	if line == 0 {
		return otherwise
	}
	return file
}

// busUnavailable is why nothing could be received.
func (r *Result) busUnavailable() advice.Finding {
	s := r.Bus.Session
	f := advice.Finding{Severity: advice.Warning, Topic: advice.IdentityTopic, Code: "bus-unavailable", Where: configcheck.Place(r.Config, "DEFAULT", "transport_url")}
	f.Problem = "the names of the backends were not compared: " + setup.SessionText(s)
	f.Reason = "a report under a name that no cinder-volume has is stored by the scheduler and never used"
	f.Fix = "Correct transport_url, or run poolcast check where the broker can be reached; --no-bus leaves this out"
	return f
}

// configured are the keys of a report that come from the stanza: cinder-volume
// reports the same values if it reads the same file.
func configured(b *config.Backend, r capability.Report) capability.Set {
	set := capability.Set{capability.KeyVolumeBackendName: capability.OfString(b.VolumeBackendName)}
	for _, key := range []string{
		capability.KeyFilterFunction, capability.KeyGoodnessFunction,
		capability.KeyReservedPercentage, capability.KeyStorageProtocol,
	} {
		if v, ok := r.Capabilities[key]; ok {
			set[key] = v
		}
	}
	for key, v := range b.Extra {
		if !slices.Contains(b.LiveCapabilities, key) {
			set[key] = v
		}
	}
	return set
}

// baseFindings are about base reports that are not those of our arrays.
func (r *Result) baseFindings() []advice.Finding {
	var found []advice.Finding
	var lacking []string
	for i := range r.Config.Backends {
		b := &r.Config.Backends[i]
		where := configcheck.Location(b.File, b.Line, b.Stanza, "")
		if s := r.Bus.Backends[b.Identity()]; s.State == publisher.Suspended && s.Cause != publisher.NoRecentBase {
			found = append(found, advice.Finding{
				Severity: advice.Warning, Topic: advice.IdentityTopic, Code: "overlay-suspended", Where: where,
				Problem: s.Detail, Reason: "poolcast would not overlay this report: the two are of different arrays",
				Fix: fmt.Sprintf("Compare san_ip of [%s] with the array that cinder-volume uses; after a failover that is the secondary", b.Stanza),
			})
		}
		base := r.Bus.base(b.Identity())
		if _, ok := base[capability.KeyProvisionedCapacity]; base != nil && !ok {
			lacking = append(lacking, b.Stanza)
		}
	}
	if len(lacking) > 0 && !r.Config.Agent.FixProvisionedCapacity {
		found = append(found, advice.Finding{
			Severity: advice.Note, Topic: advice.IdentityTopic, Code: "provisioned-capacity-missing", Where: format.List(lacking),
			Problem: "cinder-volume does not report provisioned_capacity_gb, as drivers before mid-2026 do not",
			Reason:  "the scheduler counts what Cinder itself has allocated instead; poolcast leaves that as it is, because the right number changes what fits",
			Fix:     "poolcast diff --fix-provisioned-capacity shows the effect; then fix_provisioned_capacity = true in [poolcast]",
		})
	}
	return found
}
