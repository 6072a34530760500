package simulator

// putTags adds tags to volumes, or replaces those with the same namespace and key.
func putTags(w *writing) ([]object, error) {
	volumes, err := w.live("volumes", "resource_")
	if err != nil {
		return nil, err
	}
	var tags []object
	for _, volume := range volumes {
		for _, given := range w.list {
			key, ok := given["key"].(string)
			if !ok || key == "" {
				return nil, refuse("key", "Missing required member of the body.")
			}
			if _, isText := given["value"].(string); !isText && given["value"] != nil {
				return nil, refuse("value", "Invalid value of a tag: it must be a string.")
			}
			tag := object{
				"key": key, "value": given["value"], "namespace": "default", "copyable": given["copyable"] != false,
				"resource": referenceTo(volume),
			}
			if namespace, ok := given["namespace"].(string); ok {
				tag["namespace"] = namespace
			}
			w.put("volumes/tags", w.tag(tag), tag)
			tags = append(tags, tag)
		}
	}
	return tags, nil
}

// tag finds the tag with the same volume, namespace and key.
func (d *draft) tag(like object) object {
	for _, o := range d.where("volumes/tags", "resource.id", textAt(like, "resource.id")) {
		if o["namespace"] == like["namespace"] && o["key"] == like["key"] {
			return o
		}
	}
	return nil
}

func deleteTags(w *writing) ([]object, error) {
	volumes, err := w.named("volumes", "resource_")
	if err != nil {
		return nil, err
	}
	namespaces, keys := w.values("namespaces"), w.values("keys")
	if namespaces == nil {
		namespaces = []string{"default"}
	}
	for _, volume := range volumes {
		for _, o := range w.where("volumes/tags", "resource.id", textAt(volume, "id")) {
			if containsFold(namespaces, o["namespace"]) && (keys == nil || containsFold(keys, o["key"])) {
				w.put("volumes/tags", o, nil)
			}
		}
	}
	return nil, nil
}
