package simulator

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// Limits of a volume's size, in bytes.
const (
	minVolume = 1 << 20
	maxVolume = 4 << 50
)

// nextID is a new object's id: a function of the array's id and of how many were
// made before.
func (d *draft) nextID(kind string) string {
	d.serials++
	return uuidOf(sha256.Sum256(fmt.Appendf(nil, "%s %s %d", d.array.fixture.id, kind, d.serials)))
}

// nextSerial is a new volume's serial number, unlike those of generated ones.
func (d *draft) nextSerial() string {
	digits := strings.ToUpper(strings.ReplaceAll(d.array.fixture.id, "-", "")) + strings.Repeat("0", 16)
	return digits[:16] + fmt.Sprintf("%08X", 0x40000000+d.serials)
}

func createVolumes(w *writing) ([]object, error) {
	size, err := w.provisioned()
	if err != nil {
		return nil, err
	}
	var made []object
	for _, name := range w.list("names") {
		if _, exists := w.find("volumes", "name", name); exists {
			return nil, refuse(name, "Volume already exists.")
		}
		o := w.newVolume(name, size)
		w.put("volumes", nil, o)
		made = append(made, o)
	}
	return made, nil
}

// provisioned is the size in the body.
func (w *writing) provisioned() (int64, error) {
	size, ok := integer(w.body["provisioned"])
	if !ok || size < minVolume || size > maxVolume || size%512 != 0 {
		return 0, refuse("provisioned", "Invalid size: it must be a multiple of 512 from %d to %d.", minVolume, int64(maxVolume))
	}
	return size, nil
}

func (d *draft) newVolume(name string, size int64) object {
	id := d.nextID("volume")
	return object{
		"id": id, "name": name, "created": d.now, "serial": d.nextSerial(),
		"provisioned": size, "destroyed": false, "time_remaining": nil,
		"connection_count": int64(0), "subtype": "regular", "host_encryption_key_status": "none",
		"promotion_status": "promoted", "requested_promotion_state": "promoted",
		"priority": int64(0), "priority_adjustment": object{
			"priority_adjustment_operator": "+", "priority_adjustment_value": int64(0),
		},
		"qos": object{"bandwidth_limit": nil, "iops_limit": nil},
		"pod": nullReference(), "source": nullReference(), "volume_group": nullReference(), "workload": nil,
		"space": emptySpace(size),
	}
}

// emptySpace is the space of a volume to which nothing was written.
func emptySpace(provisioned int64) object {
	o := objectSpace(object{"data_reduction": 1.0, "thin_provisioning": 1.0, "total_reduction": 1.0}, provisioned, 0, 0)
	o["virtual"], o["used_provisioned"] = int64(0), int64(0)
	return o
}

func changeVolumes(w *writing) ([]object, error) {
	volumes, err := w.named("volumes")
	if err != nil {
		return nil, err
	}
	var changed []object
	for _, old := range volumes {
		o := clone(old)
		if err := w.changeVolume(o); err != nil {
			return nil, err
		}
		w.put("volumes", old, o)
		changed = append(changed, o)
	}
	return changed, nil
}

func (w *writing) changeVolume(o object) error {
	if destroyed, ok := w.body["destroyed"].(bool); ok {
		w.setDestroyed(o, destroyed)
	}
	if w.body["provisioned"] != nil {
		size, err := w.provisioned()
		if err != nil {
			return err
		}
		if size < intAt(o, "provisioned") && w.params.Get("truncate") != "true" {
			return refuse(textAt(o, "name"), "Implicit truncation not permitted.")
		}
		o["provisioned"] = size
		sub(o, "space")["total_provisioned"] = size
	}
	if name, ok := w.body["name"].(string); ok {
		o["name"] = name
	}
	return nil
}

// setDestroyed destroys an object, or recovers it.
func (d *draft) setDestroyed(o object, destroyed bool) {
	o["destroyed"], o["time_remaining"] = destroyed, nil
	delete(o, eradicateAt)
	if destroyed {
		o[eradicateAt] = d.now + d.array.eradicationDelay()
	}
}

// eradicationDelay is how long a destroyed object is kept, in ms.
func (a *Array) eradicationDelay() int64 {
	if ms := intAt(a.fixture.frames[0].responses["arrays"][0], "eradication_config.eradication_delay"); ms > 0 {
		return ms
	}
	return day
}

func eradicateVolumes(w *writing) ([]object, error) {
	volumes, err := w.named("volumes")
	if err != nil {
		return nil, err
	}
	for _, o := range volumes {
		if !isDestroyed(o) {
			return nil, refuse(textAt(o, "name"), "Volume is not destroyed.")
		}
		w.put("volumes", o, nil)
	}
	return nil, nil
}
