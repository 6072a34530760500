package simulator

import (
	"hash/fnv"
	"math"
	"time"
)

// Workload is what one volume of a writable array does, from its creation until it
// is destroyed, whether or not it has a host.
type Workload struct {
	Operations float64       // per second, reads and writes together
	ReadShare  float64       // of the operations, 0 to 1
	BlockBytes int64         // of each operation
	Fill       float64       // share of the provisioned size that is written in the end, 0 to 1
	Growth     time.Duration // time constant of the written bytes: 63 % of Fill are written after it
	Reduction  float64       // written bytes per physical byte, at least 1
}

// Model are the parameters of the load, the latency and the used space of a
// writable array. With the zero value, the limit and the service times are those
// that the recording implies.
//
// The load is that of a queue of the type M/M/1 (Kleinrock, Queueing Systems, vol.
// 1, 1975, section 3.2). With a utilisation u = demand / limit,
//
//	response time = service time / (1 - u)
//	queue time    = response time - service time = response time * u
//	queue depth   = Σ rate * response time (Little, Operations Research 9, 1961)
//
// That the response time of each kind of operation is the same multiple of its
// service time holds where the operations share the processor (ibid., vol. 2,
// 1976, chapter 4). The share of queue time in the response time is the
// utilisation. Demand is counted in operations of 32 KiB: one of b bytes costs
// 1/2 + b / 64 KiB. Above a utilisation of 0.98 the response time rises no more,
// and all volumes get the same share of the operations that they request, so that
// the utilisation stays 0.98. A sample is the state at its time, not an average.
//
// The written bytes of a volume approach Fill × provisioned size exponentially. It
// overwrites its data with ten times the time constant of the growth: a snapshot
// holds what was overwritten between it and the next snapshot of the volume, and a
// clone holds no block of its own until it is written. Physical bytes are those
// bytes divided by the reduction; a destroyed volume keeps them until it is
// eradicated. When an array is full, the space of all created volumes is reduced
// by the same share.
//
// This makes arrays that become slower with load and fuller with time, and nothing
// more: it is not a model of how a FlashArray schedules, caches or reduces data.
type Model struct {
	Seed         uint64        // of the default workloads
	Limit        float64       // operations of 32 KiB per second; 0: as recorded
	ReadService  time.Duration // service time of a read; 0: as recorded
	WriteService time.Duration // service time of a write; 0: as recorded
	Speed        float64       // how many times faster than the clock volumes grow; 0 is 1

	// Workload determines the workload of a volume from its name, without pod and
	// volume group, and its size when it was created. False means that it is not
	// determined yet: until then the volume has no load and stays empty, and the
	// function is called again for the next sample. Later calls must return what the
	// first with true returned. It may be called from any goroutine and must not use
	// the array. Nil is [Model.DefaultWorkload], by which the same names have the
	// same workloads on every array with the same seed.
	Workload func(volume string, bytes int64) (Workload, bool)
}

// The parameters of the model.
const (
	maxUtilisation = 0.98
	unitBytes      = 32 << 10 // size of an operation that costs 1
	overwriteTimes = 10       // time constant of overwriting, in time constants of growth

	// Where a recording has no load to compute them from.
	defaultLimit        = 250_000 // operations of 32 KiB per second
	defaultReadService  = 300     // microseconds
	defaultWriteService = 250

	// Operations per second and GiB are lognormal: mean e^(1.5²/2) = 3.1.
	operationsMedian = 1.0
	operationsSigma  = 1.5
	operationsMost   = 50.0
	disturbanceReads = 0.7 // share of reads in an additional load
)

// blockSizes are equally frequent; their mean cost is 1.03.
var blockSizes = [...]int64{4 << 10, 8 << 10, 16 << 10, 16 << 10, 32 << 10, 128 << 10}

// DefaultWorkload is a workload that is determined by the seed, the name and the
// size: operations per second lognormal per GiB (median 1, σ 1.5, at most 50), 50
// to 90 % of them reads, of one of six block sizes; 20 to 80 % written in the end,
// with a time constant of 2 to 48 hours; reduced 2 to 6 times.
func (m Model) DefaultWorkload(volume string, bytes int64) Workload {
	h := fnv.New64a()
	_, _ = h.Write([]byte(volume))
	state := mix(m.Seed) ^ h.Sum64()
	uniform := func() float64 { // in (0, 1)
		state = mix(state)
		return (float64(state>>11) + 0.5) / (1 << 53)
	}
	between := func(low, high float64) float64 { return low + (high-low)*uniform() }
	normal := math.Sqrt(-2*math.Log(uniform())) * math.Cos(2*math.Pi*uniform()) // Box and Muller
	perGiB := min(operationsMedian*math.Exp(operationsSigma*normal), operationsMost)
	return Workload{
		Operations: perGiB * float64(bytes) / gib,
		ReadShare:  between(0.5, 0.9),
		BlockBytes: blockSizes[int(uniform()*float64(len(blockSizes)))],
		Fill:       between(0.2, 0.8),
		Growth:     time.Duration(between(2, 48) * float64(time.Hour)),
		Reduction:  between(2, 6),
	}
}

// workload is that of the options, or the default one.
func (m Model) workload(volume string, bytes int64) (Workload, bool) {
	if m.Workload != nil {
		return m.Workload(volume, bytes)
	}
	return m.DefaultWorkload(volume, bytes), true
}

// Disturbance is what makes an array busier or slower than its volumes do. The
// zero value is none.
type Disturbance struct {
	Operations float64 // additional operations of 32 KiB per second, 70 % of them reads, of no created volume
	Slow       float64 // service times are multiplied, and the limit divided, by it; 0 is 1
}

// demand is operations and bytes per second.
type demand struct{ reads, writes, mirrored, readBytes, writeBytes, mirroredBytes float64 }

func (w Workload) demand() demand {
	reads := w.Operations * w.ReadShare
	writes := w.Operations - reads
	return demand{
		reads: reads, writes: writes,
		readBytes: reads * float64(w.BlockBytes), writeBytes: writes * float64(w.BlockBytes),
	}
}

// recordedDemand is that of a sample of arrays/performance.
func recordedDemand(sample object) demand {
	rate := func(name string) float64 { n, _ := number(sample[name]); return n }
	return demand{
		reads: rate("reads_per_sec"), writes: rate("writes_per_sec"), mirrored: rate("mirrored_writes_per_sec"),
		readBytes: rate("read_bytes_per_sec"), writeBytes: rate("write_bytes_per_sec"),
		mirroredBytes: rate("mirrored_write_bytes_per_sec"),
	}
}

func (d Disturbance) demand() demand {
	return Workload{Operations: d.Operations, ReadShare: disturbanceReads, BlockBytes: unitBytes}.demand()
}

func (d demand) plus(e demand) demand {
	return demand{
		d.reads + e.reads, d.writes + e.writes, d.mirrored + e.mirrored,
		d.readBytes + e.readBytes, d.writeBytes + e.writeBytes, d.mirroredBytes + e.mirroredBytes,
	}
}

// cost is the demand in operations of 32 KiB per second.
func (d demand) cost() float64 {
	return (d.reads+d.writes+d.mirrored)/2 + (d.readBytes+d.writeBytes+d.mirroredBytes)/(2*unitBytes)
}

// capability is what an array can do: operations of 32 KiB per second, and the
// service times in microseconds.
type capability struct{ limit, read, write, mirrored float64 }

// recordedCapability is what a sample of arrays/performance implies: the share of
// queue time is the utilisation, and what is not queue time is service time.
func recordedCapability(sample object) capability {
	c := capability{limit: defaultLimit, read: defaultReadService, write: defaultWriteService, mirrored: 2 * defaultWriteService}
	queued, total := 0.0, 0.0
	for _, k := range []struct {
		kind    string
		service *float64
	}{{"read", &c.read}, {"write", &c.write}, {"mirrored_write", &c.mirrored}} {
		rate, _ := number(sample[k.kind+"s_per_sec"])
		usec, _ := number(sample["usec_per_"+k.kind+"_op"])
		queue, _ := number(sample["queue_usec_per_"+k.kind+"_op"])
		queued, total = queued+rate*queue, total+rate*usec
		if rate > 0 && usec > queue {
			*k.service = usec - queue
		}
	}
	if queued > 0 && queued < total {
		c.limit = recordedDemand(sample).cost() * total / queued
	}
	return c
}

// with replaces what the model gives.
func (c capability) with(m Model) capability {
	if m.Limit > 0 {
		c.limit = m.Limit
	}
	if m.ReadService > 0 {
		c.read = float64(m.ReadService) / float64(time.Microsecond)
	}
	if m.WriteService > 0 {
		c.write = float64(m.WriteService) / float64(time.Microsecond)
	}
	return c
}

func (c capability) disturbed(d Disturbance) capability {
	if d.Slow <= 0 {
		return c
	}
	return capability{c.limit / d.Slow, c.read * d.Slow, c.write * d.Slow, c.mirrored * d.Slow}
}

// queueing is the state of an array under a demand.
type queueing struct {
	utilisation           float64 // 0 to maxUtilisation
	delivered             float64 // share of the demand that is served, 0 to 1
	read, write, mirrored latency
}

// latency is the time of one operation, in whole microseconds.
type latency struct{ service, queue int64 }

func (l latency) total() int64 { return l.service + l.queue }

func (c capability) under(d demand) queueing {
	offered := d.cost() / c.limit
	q := queueing{utilisation: min(offered, maxUtilisation), delivered: 1}
	if offered > maxUtilisation {
		q.delivered = maxUtilisation / offered
	}
	at := func(service float64) latency {
		response := service / (1 - q.utilisation)
		return latency{service: int64(math.Round(service)), queue: int64(math.Round(response * q.utilisation))}
	}
	q.read, q.write, q.mirrored = at(c.read), at(c.write), at(c.mirrored)
	return q
}

// depth is the mean number of operations in the array, for the rates that are served.
func (q queueing) depth(r rates) int64 {
	usec := float64(r.reads*q.read.total() + r.writes*q.write.total() + r.mirrored*q.mirrored.total())
	return int64(math.Round(usec / 1e6))
}

// extent is a volume's size from a time in milliseconds on, until the next.
type extent struct {
	from, bytes int64
	growing     bool // neither destroyed nor eradicated
}

// written are the bytes that a volume holds at a time, before reduction: inherited
// ones of a clone, and its own. It never shrinks but by truncation.
func (w Workload) written(inherited float64, extents []extent, at int64, speed float64) float64 {
	bytes := inherited
	for i, e := range extents {
		until := at
		if i+1 < len(extents) {
			until = min(at, extents[i+1].from)
		}
		bytes = min(bytes, float64(e.bytes))
		if !e.growing || until <= e.from {
			continue
		}
		if target := w.Fill * float64(e.bytes); target > bytes {
			bytes = target + (bytes-target)*w.remaining(until-e.from, speed, 1)
		}
	}
	return bytes
}

// kept is the share of some bytes that are not overwritten after a time in
// milliseconds.
func (w Workload) kept(millis int64, speed float64) float64 {
	return w.remaining(millis, speed, overwriteTimes)
}

// remaining is e^(-time / (times * time constant)).
func (w Workload) remaining(millis int64, speed, times float64) float64 {
	constant := times * float64(w.Growth.Milliseconds())
	if constant <= 0 {
		return 0
	}
	if speed <= 0 {
		speed = 1
	}
	return math.Exp(-float64(millis) * speed / constant)
}

// physical is what bytes occupy.
func (w Workload) physical(bytes float64) int64 {
	return int64(max(bytes, 0) / max(w.Reduction, 1))
}
