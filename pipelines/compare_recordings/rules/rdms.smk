# Spikes -> dissimilarities, one file per recording and per model that spikes.


rule rdm:
    input:
        data=lambda wildcards: PLAN["recordings"][wildcards.recording]["files"],
        study=ancient(config["study"]),
    output:
        f"{OUT}/rdms/{{recording}}.npz",
    log:
        f"{OUT}/logs/rdm/{{recording}}.log",
    params:
        depends_on=lambda wildcards: PLAN["recordings"][wildcards.recording]["depends_on"],
        snncompare=SNNCOMPARE,
    threads: config["threads"]
    resources:
        mem_mb=config["mem_mb"]["rdm"],
        runtime=config["runtime_min"]["rdm"],
    shell:
        "NUMBA_NUM_THREADS={threads} OMP_NUM_THREADS={threads} "
        "{params.snncompare} rdm {input.study:q} --recording {wildcards.recording:q} --out {output:q} 2> {log:q}"


rule model_rdm:
    input:
        data=lambda wildcards: PLAN["models"][wildcards.model]["files"],
        study=ancient(config["study"]),
    output:
        f"{OUT}/models/{{model}}.npz",
    log:
        f"{OUT}/logs/model_rdm/{{model}}.log",
    params:
        depends_on=lambda wildcards: PLAN["models"][wildcards.model]["depends_on"],
        snncompare=SNNCOMPARE,
    threads: config["threads"]
    resources:
        mem_mb=config["mem_mb"]["rdm"],
        runtime=config["runtime_min"]["rdm"],
    shell:
        "NUMBA_NUM_THREADS={threads} OMP_NUM_THREADS={threads} "
        "{params.snncompare} rdm {input.study:q} --model {wildcards.model:q} --out {output:q} 2> {log:q}"
