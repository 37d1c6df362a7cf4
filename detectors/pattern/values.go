package pattern

// values numbers the values of the held hits of a Distinct or Travel, so that a
// sweep counts in a slice and each text is kept once. The zero value is ready; number
// 0 is no value at all.
type values struct {
	numbers map[string]uint32
	texts   []string
	uses    []int32  // held hits that have the value
	window  []int32  // all zero between sweeps
	free    []uint32 // numbers to use again
}

// number gives the text's number, for one more hit.
func (v *values) number(text string) uint32 {
	if n, ok := v.numbers[text]; ok {
		v.uses[n]++
		return n
	}
	if v.numbers == nil {
		v.numbers = make(map[string]uint32)
		v.texts, v.uses, v.window = make([]string, 1), make([]int32, 1), make([]int32, 1)
	}
	var n uint32
	if last := len(v.free) - 1; last >= 0 {
		n, v.free = v.free[last], v.free[:last]
		v.texts[n], v.uses[n] = text, 1
	} else {
		n = uint32(len(v.texts))
		v.texts, v.uses, v.window = append(v.texts, text), append(v.uses, 1), append(v.window, 0)
	}
	v.numbers[text] = n
	return n
}

// release says that one hit fewer has the value.
func (v *values) release(n uint32) {
	if n == 0 {
		return
	}
	if v.uses[n]--; v.uses[n] > 0 {
		return
	}
	delete(v.numbers, v.texts[n])
	if len(v.numbers) == 0 {
		*v = values{}
		return
	}
	v.texts[n] = ""
	v.free = append(v.free, n)
}

// loose tells whether far more values are remembered by size than are in use.
func (v *values) loose() bool { return len(v.texts) > 64+4*len(v.numbers) }
