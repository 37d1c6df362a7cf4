# Reads the output of go test -bench and prints a table. The column "x" says
# how many times the cost of the first benchmark of its group a row costs, and
# what a benchmark reports itself (such as its ratio to raw JetStream in the
# same run) stands at the end of its row.

/^pkg: / {
	package = $2
	sub(/^watchword\//, "", package)
	printf "\n%s\n%-58s %12s %8s %10s  %s\n", package, "", "time/op", "x", "allocs/op", "reported"
}

/^Benchmark/ && NF >= 4 {
	name = $1
	sub(/^Benchmark/, "", name)
	sub(/-[0-9]+$/, "", name)
	group = package "/" name
	if (!sub(/\/[^\/]*$/, "", group) || group == package)
		group = package "/" name
	time = allocs = reported = ""
	for (i = 3; i + 1 <= NF; i += 2) {
		if ($(i + 1) == "ns/op")
			time = $i
		else if ($(i + 1) == "allocs/op")
			allocs = $i
		else if ($(i + 1) != "B/op")
			reported = reported $i " " $(i + 1) "  "
	}
	times = ""
	if (time > 0) {
		if (!(group in first))
			first[group] = time
		times = sprintf("%.2f", time / first[group])
		time = duration(time)
	}
	printf "%-58s %12s %8s %10s  %s\n", name, time, times, allocs, reported
	rows++
}

END {
	if (!rows) {
		print "no benchmark ran"
		exit 1
	}
}

function duration(ns) {
	if (ns >= 1e9) return sprintf("%.2f s", ns / 1e9)
	if (ns >= 1e6) return sprintf("%.2f ms", ns / 1e6)
	if (ns >= 1e3) return sprintf("%.2f us", ns / 1e3)
	return sprintf("%.1f ns", ns)
}
