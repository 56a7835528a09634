package main

import "reflect"

// settingNames are the environment names of all settings.
func settingNames() []string {
	var out []string
	var walk func(reflect.Type)
	walk = func(t reflect.Type) {
		for i := range t.NumField() {
			f := t.Field(i)
			if env := f.Tag.Get("env"); env != "" {
				out = append(out, env)
			}
			if f.Type.Kind() == reflect.Struct {
				walk(f.Type)
			}
		}
	}
	walk(reflect.TypeFor[settings]())
	return out
}
