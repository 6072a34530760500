package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/advice"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher"
)

// heardOnBus is what was heard of cinder-volume.
type heardOnBus struct {
	session  publisher.Session
	bases    map[string]publisher.BaseReport // by identity
	backends map[string]publisher.BackendStatus
	took     time.Duration
}

// listenToBus listens until every backend was heard, or for the bound. It sends
// nothing.
func listenToBus(ctx context.Context, cfg *config.Config, reports []capability.Report, bound time.Duration) (*heardOnBus, error) {
	o := busOptions(cfg, zerolog.Nop())
	o.ListenOnly, o.Standalone = true, false
	p, err := publisher.New(o)
	if err != nil {
		return nil, withCode(exitConfig, err)
	}
	for _, r := range reports {
		p.Update(r)
	}
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	begun := time.Now()
	heard := waitHeard(ctx, p, cfg)
	heard.took = time.Since(begun)
	cancel()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		return nil, err
	}
	return heard, nil
}

func waitHeard(ctx context.Context, p *publisher.Publisher, cfg *config.Config) *heardOnBus {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		h := hearing(p)
		if h.all(cfg) {
			return h
		}
		select {
		case <-ctx.Done():
			return h
		case <-tick.C:
		}
	}
}

func hearing(p *publisher.Publisher) *heardOnBus {
	status := p.Status()
	return &heardOnBus{
		session:  status.Session,
		bases:    byKey(p.BaseReports(), func(b publisher.BaseReport) string { return b.Identity }),
		backends: byKey(status.Backends, func(b publisher.BackendStatus) string { return b.Identity }),
	}
}

func identityOf(b *config.Backend) string {
	return capability.Report{Host: b.Host, Cluster: b.Cluster}.Identity()
}

func (h *heardOnBus) all(cfg *config.Config) bool {
	return !slices.ContainsFunc(cfg.Backends, func(b config.Backend) bool {
		_, heard := h.bases[identityOf(&b)]
		return !heard
	})
}

// base is what cinder-volume said of a backend, nil if it was not heard.
func (h *heardOnBus) base(identity string) capability.Set {
	if h == nil {
		return nil
	}
	return h.bases[identity].Capabilities
}

// overlaid are the reports as the scheduler would be told them.
func (h *heardOnBus) overlaid(cfg *config.Config, reports []capability.Report) []capability.Report {
	out := slices.Clone(reports)
	for i := range out {
		base := h.base(out[i].Identity())
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

// busFindings compares the names and the reports with those on the bus.
func (c *checkup) busFindings(reports []capability.Report) []advice.Finding {
	if c.bus.session.State != publisher.Ready && c.bus.session.State != publisher.Blocked {
		return []advice.Finding{c.deaf()}
	}
	var heard []advice.BaseReport
	for _, identity := range sortedKeys(c.bus.bases) {
		b := c.bus.bases[identity]
		heard = append(heard, advice.BaseReport{Identity: b.Identity, Host: b.Host, Cluster: b.Cluster, Capabilities: b.Capabilities})
	}
	byHost := byKey(reports, func(r capability.Report) string { return r.Host })
	var named []advice.Backend
	for i := range c.cfg.Backends {
		b := &c.cfg.Backends[i]
		file, line := c.cfg.Place("DEFAULT", "host")
		n := advice.Backend{
			Report: capability.Report{Host: b.Host, Cluster: b.Cluster, Backend: b.Stanza, Capabilities: configured(b, byHost[b.Host])},
			Where:  located(b.File, b.Line, b.Stanza, ""), File: orFile(file, line, b.File),
		}
		if s := c.bus.backends[identityOf(b)]; s.State == publisher.Listening || s.Cause == publisher.NoRecentBase {
			n.Detail = s.Detail
		}
		named = append(named, n)
	}
	return append(advice.Identity(named, heard, c.bus.took), c.baseFindings()...)
}

func orFile(file string, line int, otherwise string) string {
	if line == 0 {
		return otherwise
	}
	return file
}

// deaf says why nothing could be heard.
func (c *checkup) deaf() advice.Finding {
	s := c.bus.session
	f := advice.Finding{Severity: advice.Warning, Topic: advice.IdentityTopic, Code: "bus-unavailable", Where: placeOf(c.cfg, "DEFAULT", "transport_url")}
	f.Problem = "the names of the backends were not compared: " + sessionText(s)
	f.Reason = "a report under a name that no cinder-volume has is stored by the scheduler and never used"
	f.Fix = "Mend transport_url, or run poolcast check where the broker can be reached; --no-bus leaves this out"
	return f
}

// configured is what the stanza says of itself in a report: the part that
// cinder-volume, if it reads the same file, reports in the same words.
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

// baseFindings are about reports that were heard and do not go with ours.
func (c *checkup) baseFindings() []advice.Finding {
	var found []advice.Finding
	var lacking []string
	for i := range c.cfg.Backends {
		b := &c.cfg.Backends[i]
		where := located(b.File, b.Line, b.Stanza, "")
		if s := c.bus.backends[identityOf(b)]; s.State == publisher.Suspended && s.Cause != publisher.NoRecentBase {
			found = append(found, advice.Finding{
				Severity: advice.Warning, Topic: advice.IdentityTopic, Code: "overlay-suspended", Where: where,
				Problem: s.Detail, Reason: "poolcast would not lay its numbers over this report: one of the two looks at another array",
				Fix: fmt.Sprintf("Compare san_ip of [%s] with the array that cinder-volume uses; after a failover that is the secondary", b.Stanza),
			})
		}
		base := c.bus.base(identityOf(b))
		if _, ok := base[capability.KeyProvisionedCapacity]; base != nil && !ok {
			lacking = append(lacking, b.Stanza)
		}
	}
	if len(lacking) > 0 && !c.cfg.Agent.FixProvisionedCapacity {
		found = append(found, advice.Finding{
			Severity: advice.Note, Topic: advice.IdentityTopic, Code: "provisioned-capacity-missing", Where: listed(lacking),
			Problem: "cinder-volume does not report provisioned_capacity_gb, as drivers before mid-2026 do not",
			Reason:  "the scheduler counts what Cinder itself has allocated instead; poolcast leaves that as it is, because the right number changes what fits",
			Fix:     "poolcast diff --fix-provisioned-capacity shows the effect; then fix_provisioned_capacity = true in [poolcast]",
		})
	}
	return found
}
