package simulator

import (
	"maps"
	"strings"
	"time"
)

// isSpace and isPerformance tell an endpoint that measures objects.
func isSpace(path string) bool       { return strings.HasSuffix(path, "/space") }
func isPerformance(path string) bool { return strings.HasSuffix(path, "/performance") }

// frameAt is the frame that was current at a sample's time.
func (v *view) frameAt(millis int64) frame {
	return v.array.fixture.frames[v.timeline.at(time.UnixMilli(millis))]
}

// arraySample is the one item of arrays/space or arrays/performance at a time.
func (v *view) arraySample(path string, millis int64, fileOnly bool) object {
	o := clone(v.frameAt(millis).responses[path][0])
	o["id"], o["name"], o["time"] = v.array.fixture.id, v.array.fixture.Name, millis
	if fileOnly {
		quiet(o)
	}
	return o
}

// quiet makes an idle sample of a busy one: rates and times are 0, not null.
func quiet(o object) {
	for name, value := range o {
		if _, isNumber := number(value); isNumber && name != "time" {
			o[name] = int64(0)
		}
	}
}

// spaceSample is an object's item of volumes/space and its like.
func (v *view) spaceSample(base collection, i int, millis int64) object {
	o := base.item(i)
	s := object{"name": o["name"], "space": o["space"], "time": millis}
	if id, ok := o["id"]; ok {
		s["id"] = id
	}
	return s
}

// performanceSample is an object's item of volumes/performance and its like: the
// recorded one if there is one, else its share of what the array does.
func (v *view) performanceSample(path string, base collection, i int, millis int64) object {
	name, _ := base.field(i, "name")
	id, hasID := base.field(i, "id")
	frame := v.frameAt(millis)
	var o object
	if at, ok := recorded(frame.responses[path]).find("name", name.(string)); ok {
		o = clone(frame.responses[path][at])
	} else {
		position, of := v.position(path, base, i)
		o = shareOfLoad(frame.responses["arrays/performance"][0], position, of)
	}
	o["name"], o["time"] = name, millis
	delete(o, "id") // hosts have none
	if hasID {
		o["id"] = id
	}
	return o
}

// position says which of the objects that do input and output this one is. Those
// that do none have a position beyond the last.
func (v *view) position(path string, base collection, i int) (position, of int) {
	g, ok := base.(*grown)
	if !ok || path == "pods/performance" {
		return 1, 1
	}
	s, made := g.serialAt(i)
	if !made || s.destroyed {
		return g.live, g.live
	}
	return s.n, g.live
}

// latencies are per operation of a kind: which rate says whether there is any.
var latencies = map[string]string{
	"_read_op": "reads_per_sec", "_write_op": "writes_per_sec", "_mirrored_write_op": "mirrored_writes_per_sec",
	"_other_op": "others_per_sec",
}

// rateOf names the rate by which a field is weighted: an average over several
// objects counts each as often as it worked. It is empty for what is not an
// average.
func rateOf(name string) string {
	if !strings.Contains(name, "usec_per_") {
		return ""
	}
	for _, suffix := range []string{"_mirrored_write_op", "_read_op", "_write_op", "_other_op"} {
		if strings.HasSuffix(name, suffix) {
			return latencies[suffix]
		}
	}
	return ""
}

// shareOfLoad is one object's part of the array's sample.
func shareOfLoad(array object, i, n int) object {
	o := maps.Clone(array)
	delete(o, "queue_depth")
	delete(o, "local_queue_usec_per_op")
	for name, value := range array {
		if total, ok := integer(value); ok && strings.HasSuffix(name, "_per_sec") {
			o[name] = share(total, i, n)
		}
	}
	for name := range o {
		if rate := rateOf(name); rate != "" && o[rate] == int64(0) && o[name] != nil {
			o[name] = int64(0)
		}
	}
	averageSizes(o)
	return o
}

// averageSizes derives bytes per operation from the rates.
func averageSizes(o object) {
	rate := func(name string) int64 { n, _ := integer(o[name]); return n }
	reads, writes, mirrored := rate("reads_per_sec"), rate("writes_per_sec"), rate("mirrored_writes_per_sec")
	in, out, across := rate("write_bytes_per_sec"), rate("read_bytes_per_sec"), rate("mirrored_write_bytes_per_sec")
	o["bytes_per_read"] = out / max(reads, 1)
	o["bytes_per_write"] = in / max(writes, 1)
	o["bytes_per_mirrored_write"] = across / max(mirrored, 1)
	o["bytes_per_op"] = (in + out + across) / max(reads+writes+mirrored, 1)
}
