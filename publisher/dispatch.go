package publisher

import (
	"context"
	"errors"
	"time"
)

// dispatch is one report to be published, and the result.
type dispatch struct {
	backend *backend
	report  published
	counter uint64 // of its ID
	err     error  // nil if the broker has confirmed it
	notify  error  // the same of the message to one scheduler, with Options.Notify
}

// publish sends a batch and records the results. The lock is held, but not during
// the wait for the broker.
func (p *Publisher) publish(ctx context.Context, batch []dispatch) {
	messages, owners := p.encode(batch)
	if len(messages) > 0 {
		p.counters.Publishes += uint64(len(messages))
		p.mu.Unlock()
		errs := p.bus.Publish(ctx, messages)
		p.mu.Lock()
		for i, err := range errs {
			p.recordMessage(ctx, &batch[owners[i]], messages[i].method, err)
		}
	}
	for i := range batch {
		p.recordResult(ctx, &batch[i])
	}
}

// encode returns the messages of a batch, and the index of the report of each. A
// report that has no JSON form has failed.
func (p *Publisher) encode(batch []dispatch) (messages []outgoing, owners []int) {
	add := func(i int, m message) (uint64, error) {
		id, counter := p.id.next()
		m.id = id
		body, err := encode(m)
		if err != nil {
			return 0, err
		}
		messages, owners = append(messages, outgoing{m.method, body}), append(owners, i)
		return counter, nil
	}
	for i := range batch {
		d := &batch[i]
		m := d.message()
		if d.counter, d.err = add(i, m); d.err == nil && p.opt.Notify && !d.report.isBase {
			m.method = notifyCapabilities
			_, d.err = add(i, m)
		}
	}
	return messages, owners
}

func (d *dispatch) message() message {
	m := message{
		method: updateCapabilities, host: d.backend.report.Host, cluster: d.backend.report.Cluster,
		set: d.report.set, stamp: d.report.stamp,
	}
	if d.report.isBase {
		m.host, m.cluster = d.report.over.host, d.report.over.cluster
	}
	return m
}

// recordMessage records the result of one message. A clean stop is no failure.
func (p *Publisher) recordMessage(ctx context.Context, d *dispatch, m rpcMethod, err error) {
	if err != nil && ctx.Err() != nil {
		d.err = ctx.Err()
		return
	}
	p.counters.count(err)
	if m == notifyCapabilities {
		d.notify = err
		return
	}
	d.err = err
	if err == nil {
		p.echo.confirm(d.counter, time.Now())
	}
}

// recordResult records the result of a report. One that was not accepted is due
// again: when there is a session, or after a while.
func (p *Publisher) recordResult(ctx context.Context, d *dispatch) {
	b := d.backend
	switch err := d.err; {
	case err == nil:
		b.last = d.report
		b.failure = failure{logged: b.failure.logged}
		if d.notify != nil {
			b.failure.reason = d.notify.Error()
		}
		if d.report.overlaid() {
			p.counters.Overlays++
		}
	case ctx.Err() != nil:
		return
	case errors.Is(err, errNotConnected), errors.Is(err, errBlocked):
		d.allowRestore()
		b.due = true
	default:
		d.allowRestore()
		b.failure.fail(err, time.Now())
		b.retry = time.Now().Add(p.opt.retryAfter(b.failure.count))
	}
	p.logFailure(b)
}

// allowRestore allows a base that was not accepted to be published again.
func (d *dispatch) allowRestore() {
	if d.report.isBase {
		d.report.over.sent = d.report.stamp
	}
}

func (f *failure) fail(err error, now time.Time) {
	f.reason = err.Error()
	f.count++
	if f.since.IsZero() {
		f.since = now
	}
}
