# Dissimilarities -> similarities with statistics, figures, table, report.


rule compare:
    input:
        rdms=lambda wildcards: expand(f"{OUT}/rdms/{{name}}.npz", name=PLAN["comparisons"][wildcards.area]["recordings"]),
        models=expand(f"{OUT}/models/{{name}}.npz", name=PLAN["models"]),
        hypotheses=lambda wildcards: PLAN["comparisons"][wildcards.area]["files"],
        study=ancient(config["study"]),
    output:
        expand(f"{OUT}/areas/{{{{area}}}}/{{file}}", file=RESULT_FILES),
    log:
        f"{OUT}/logs/compare/{{area}}.log",
    params:
        depends_on=lambda wildcards: PLAN["comparisons"][wildcards.area]["depends_on"],
        snncompare=SNNCOMPARE,
        folder=lambda wildcards: f"{OUT}/areas/{wildcards.area}",
        models="--models" if PLAN["models"] else "",
    threads: config["threads"]
    resources:
        mem_mb=config["mem_mb"]["compare"],
        runtime=config["runtime_min"]["compare"],
    shell:
        "NUMBA_NUM_THREADS={threads} OMP_NUM_THREADS={threads} "
        "{params.snncompare} compare {input.study:q} --rdms {input.rdms:q} {params.models} {input.models:q} "
        "--out {params.folder:q} > /dev/null 2> {log:q}"


rule figure:
    input:
        expand(f"{OUT}/areas/{{{{area}}}}/{{file}}", file=RESULT_FILES),
    output:
        svg=report(f"{OUT}/areas/{{area}}/figures/{{figure}}.svg", category="{area}"),
        pdf=f"{OUT}/areas/{{area}}/figures/{{figure}}.pdf",
        png=f"{OUT}/areas/{{area}}/figures/{{figure}}.png",
        provenance=f"{OUT}/areas/{{area}}/figures/{{figure}}.provenance.json",
    log:
        f"{OUT}/logs/figure/{{area}}_{{figure}}.log",
    params:
        snncompare=SNNCOMPARE,
        folder=lambda wildcards: f"{OUT}/areas/{wildcards.area}",
    shell:
        "{params.snncompare} figure {params.folder:q} --kind {wildcards.figure} --out {output.svg:q} 2> {log:q}"


rule summary:
    input:
        expand(f"{OUT}/areas/{{area}}/{{file}}", area=PLAN["comparisons"], file=RESULT_FILES),
    output:
        table=f"{OUT}/summary.csv",
        provenance=f"{OUT}/summary.provenance.json",
    log:
        f"{OUT}/logs/summary.log",
    params:
        snncompare=SNNCOMPARE,
        folders=expand(f"{OUT}/areas/{{area}}", area=PLAN["comparisons"]),
    shell:
        "{params.snncompare} summary {params.folders:q} --out {output.table:q} 2> {log:q}"


rule report:
    input:
        expand(f"{OUT}/areas/{{area}}/{{file}}", area=PLAN["comparisons"], file=RESULT_FILES),
    output:
        f"{OUT}/report.html",
    log:
        f"{OUT}/logs/report.log",
    params:
        snncompare=SNNCOMPARE,
        folders=expand(f"{OUT}/areas/{{area}}", area=PLAN["comparisons"]),
    shell:
        "{params.snncompare} summary {params.folders:q} --out {output:q} 2> {log:q}"
