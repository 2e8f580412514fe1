//! What is promised for each fault, and which cases and tests hold it.

/// A row of RELIABILITY.md.
pub struct Promise {
    pub number: &'static str,
    pub fault: &'static str,
    pub promise: &'static str,
    /// Cases of the harness, by their names; `*` stands for one part.
    pub cases: &'static [&'static str],
    /// Tests, by their names.
    pub tests: &'static [&'static str],
}

const fn row(
    number: &'static str,
    fault: &'static str,
    promise: &'static str,
    cases: &'static [&'static str],
    tests: &'static [&'static str],
) -> Promise {
    Promise { number, fault, promise, cases, tests }
}

/// Faults of the runtime and of the store.
pub const FAULTS: &[Promise] = &[
    row(
        "R1",
        "SIGKILL of the client anywhere in `create`",
        "There is a whole container or none, and the same command works again.",
        &["kill/create/client", "kill/create with volumes/client"],
        &["a_killed_create_leaves_a_whole_container_or_none"],
    ),
    row(
        "R2",
        "SIGKILL of client, monitor or init during a start",
        "The container runs under its monitor, or it does not run.",
        &["kill/start", "kill/start of an exited one", "kill/run", "kill/run -d", "kill/run --rm"],
        &[
            "a_killed_start_leaves_no_cgroup",
            "a_killed_run_leaves_a_container_that_runs_or_does_not",
        ],
    ),
    row(
        "R3",
        "SIGKILL of the client during `rm`",
        "The next `rm` finishes, and then the name is free.",
        &[
            "kill/rm",
            "kill/rm -v",
            "kill/rm -f",
            "kill/rm -f of a paused one",
            "kill/container prune",
        ],
        &[],
    ),
    row(
        "R4",
        "SIGKILL of the monitor",
        "The container dies with it, is recorded with exit code 137, and keeps its log.",
        &["kill/*/monitor"],
        &[
            "a_container_dies_with_its_monitor_and_keeps_its_log",
            "whichever_verb_meets_a_lost_container_first_removes_it_with_its_volumes",
        ],
    ),
    row(
        "R5",
        "SIGKILL of init",
        "The exit code 137 is recorded once, and no process is left.",
        &["kill/*/init"],
        &["each_way_to_end_has_its_exit_code", "a_signal_from_outside_ends_it_as_one_from_inside"],
    ),
    row(
        "R6",
        "The kernel kills the container for want of memory",
        "The record says so with exit code 137, and the monitor lives.",
        &[],
        &["want_of_memory_is_noticed", "want_of_memory_is_told_before_the_end"],
    ),
    row(
        "R7",
        "Restart of the host, or a power cut",
        "Containers show how they ended, what a verb has acknowledged is there, and records are \
         whole: each is written aside, synced and renamed.",
        &[],
        &[
            "what_is_acknowledged_survives_a_power_failure",
            "what_was_found_in_another_boot_or_file_system_does_not_count",
        ],
    ),
    row(
        "R8",
        "No space for a new container or image",
        "The error names what has no room, nothing half is published, and the space comes back.",
        &["scarce/*/pages left", "scarce/*/inodes left", "error/*/client/ENOSPC"],
        &["a_full_disk_is_said_and_gives_its_space_back", "a_copy_that_fails_leaves_nothing"],
    ),
    row(
        "R9",
        "No space for the log or the record of a container that runs",
        "The container runs on, and its end is recorded as it was.",
        &["error/*/monitor/ENOSPC"],
        &[
            "an_exit_on_a_full_disk_is_recorded_as_it_was",
            "a_pause_on_a_full_disk_is_as_the_record_says",
        ],
    ),
    row(
        "R10",
        "Few descriptors",
        "A verb fails before it changes anything, or succeeds.",
        &["scarce/*/descriptors", "error/*/*/EMFILE"],
        &[],
    ),
    row(
        "R11",
        "No memory in a call of client, monitor or init",
        "The verb fails with an error, and the exit code of the container is not lost.",
        &["error/*/*/ENOMEM"],
        &["it_ends_at_its_ceiling_of_memory_and_what_it_made_goes_with_it"],
    ),
    row(
        "R12",
        "A read-only or broken disk",
        "Verbs that only read work; others fail with an error and change nothing.",
        &["scarce/reading", "scarce/*/read-only", "error/*/*/EIO", "error/*/*/EROFS"],
        &["a_read_only_root_is_still_read"],
    ),
    row(
        "R13",
        "EINTR and EAGAIN",
        "The call is made again, and no verb and no container notices.",
        &["error/*/*/EINTR", "error/*/*/EAGAIN"],
        &[],
    ),
    row(
        "R14",
        "Two want the same name",
        "One gets it, the other is told who has it, and the loser leaves nothing.",
        &["race"],
        &["of_many_who_want_a_name_one_gets_it"],
    ),
    row(
        "R15",
        "Verbs race on one container",
        "They take effect one after the other: some order explains what each was told.",
        &["race", "schedule"],
        &[
            "opposite_wishes_leave_a_container_in_one_state",
            "two_scripts_that_fight_over_a_container_lose_nothing",
        ],
    ),
    row(
        "R16",
        "Many starts at the same time",
        "All succeed.",
        &[],
        &["twenty_at_once_all_run", "many_at_once_are_the_first_of_a_store_with_an_init"],
    ),
    row(
        "R17",
        "The clock jumps",
        "No age is negative, and the order of the log stays.",
        &[],
        &["a_clock_set_back_is_no_negative_age"],
    ),
    row(
        "R18",
        "A line without an end",
        "The monitor's memory does not grow, and the line is whole when read.",
        &[],
        &["a_long_line_is_split_and_nothing_is_lost", "a_line_of_a_megabyte_is_one_line"],
    ),
    row(
        "R19",
        "Binary output",
        "The log gives back byte for byte what was written.",
        &[],
        &["bytes_that_are_no_text_stay_as_they_are", "streams_arrive_byte_for_byte"],
    ),
    row(
        "R20",
        "A flood of output",
        "The log keeps to its limits, and a reader does not stall the writer.",
        &[],
        &[
            "a_log_keeps_to_its_limits_and_its_end_is_whole",
            "what_is_there_has_an_end_however_fast_more_is_written",
        ],
    ),
    row(
        "R21",
        "The last lines before a fast exit",
        "All that was written is in the log before `wait` returns.",
        &[],
        &["following_ends_with_the_container", "a_fast_end_is_never_missed"],
    ),
    row(
        "R22",
        "Zombies",
        "None are left below a monitor.",
        &["kill"],
        &["a_thousand_execs_that_fail_leave_nothing"],
    ),
    row(
        "R23",
        "`stop` and `rm -f` of a paused container",
        "Both work, and what was paused for a while runs again.",
        &["kill/stop of a paused one", "kill/rm -f of a paused one", "kill/commit"],
        &["what_a_killed_commit_paused_runs_again"],
    ),
    row(
        "R24",
        "A process that is stopped or cannot be killed",
        "Each wait ends after ten seconds and names the process.",
        &["stop"],
        &["a_stopped_monitor_is_named_and_ended_by_what_ends_its_container"],
    ),
    row(
        "R25",
        "A lock whose holder was killed",
        "There are none: the kernel releases them.",
        &["kill", "stop"],
        &["a_lock_that_is_held_too_long_names_its_holder"],
    ),
    row(
        "R26",
        "A damaged record",
        "Only its own container is `dead`; it is listed and can be removed.",
        &["damage/containers"],
        &["a_damaged_record_spoils_its_own_container_only", "a_missing_record_can_be_removed"],
    ),
    row(
        "R27",
        "SIGKILL of `load`, `import`, `build` or `commit`",
        "There is a whole image or none, and the space comes back.",
        &["kill/load", "kill/import", "kill/build", "kill/commit", "kill/commit of an exited one"],
        &["a_killed_load_leaves_a_whole_image_or_none"],
    ),
    row(
        "R28",
        "Two load the same image",
        "Both succeed, and there is one copy.",
        &["race"],
        &["an_image_that_is_loaded_twice_at_once_is_there_once"],
    ),
    row(
        "R29",
        "`rmi` of an image that is used",
        "It is refused and names the users; what runs is not harmed.",
        &["race"],
        &["an_image_in_use_stays", "pruning_spares_what_containers_use"],
    ),
    row(
        "R30",
        "Files of the store deleted or changed by hand",
        "`system check` reports it, `--repair` mends it or removes what cannot be mended.",
        &["damage/images", "damage/volumes", "damage/names"],
        &["damage_is_found_named_and_mended", "what_runs_is_not_touched_by_a_repair"],
    ),
    row(
        "R31",
        "A mount that is left",
        "None appears on the host: mounts are made in the container's namespace.",
        &["kill", "error"],
        &["mounts_of_the_machine_are_not_seen_and_none_can_be_made"],
    ),
    row(
        "R32",
        "A cgroup that cannot be removed yet",
        "It goes with the next command or with `system check --repair`.",
        &["kill"],
        &["a_killed_start_leaves_no_cgroup"],
    ),
    row(
        "R33",
        "The client, its session or its terminal goes away",
        "The container runs on.",
        &["kill/run -d/client", "caller"],
        &[
            "a_container_lives_on_without_the_one_who_ran_it",
            "the_terminal_is_given_back_whatever_ends_the_client",
        ],
    ),
    row(
        "R34",
        "Reading while others write",
        "A list never fails.",
        &["schedule"],
        &["listing_never_fails_while_others_come_and_go"],
    ),
    row(
        "R35",
        "Records of another version",
        "Old ones are read; a newer one is refused and not rewritten.",
        &[],
        &[
            "options_of_a_container_are_read_from_an_old_store",
            "containers_of_an_old_store_start_and_are_removed",
        ],
    ),
    row(
        "R36",
        "Thousands of containers made and removed",
        "Nothing remains: no file, process, mount or cgroup.",
        &["kill", "error"],
        &[],
    ),
    row(
        "R37",
        "Directories of the store removed while containers run",
        "`system check` finds their monitors, and `--repair` ends them.",
        &[],
        &[
            "a_check_finds_all_that_the_engine_may_leave_in_one_pass",
            "a_container_whose_socket_was_removed_can_be_removed",
        ],
    ),
];

/// Faults of scripts.
pub const SCRIPTS: &[Promise] = &[
    row(
        "Limits",
        "A script without end or measure",
        "Time, operations, memory and depth are limited under `--untrusted`, and on request elsewhere.",
        &[],
        &[
            "its_time_and_operations_are_limited_unless_said_otherwise",
            "a_script_ends_when_its_time_or_its_operations_are_used_up",
        ],
    ),
    row(
        "Depth",
        "Values and calls nested without bound",
        "The script ends with an error; the process and its cleanups go on.",
        &[],
        &[
            "nested_values_end_the_script_and_not_the_process",
            "a_value_that_contains_itself_is_refused",
        ],
    ),
    row(
        "Modules",
        "An import that leads out",
        "A script that is not trusted reaches its own folder only.",
        &[],
        &["it_reaches_its_own_folder_and_no_other_file"],
    ),
    row(
        "Panics",
        "A panic in a function of the engine",
        "The script ends with an error that says it is a bug.",
        &[],
        &["a_panic_is_a_bug_and_not_the_end"],
    ),
    row(
        "Ctrl-C",
        "Ctrl-C, once and again",
        "Each call that waits ends soon; the second ends the cleanup, and nothing is left.",
        &[],
        &[
            "ctrl_c_ends_any_call_soon_and_tidies_up",
            "a_second_ctrl_c_ends_the_cleanup_and_leaves_nothing_all_the_same",
        ],
    ),
    row(
        "Waits",
        "A fifo or a pipe on which nothing comes",
        "Time limits and Ctrl-C reach each read and each open.",
        &[],
        &[
            "a_time_limit_ends_each_function_that_waits_for_a_fifo",
            "ctrl_c_ends_a_verb_that_reads_a_fifo",
        ],
    ),
    row(
        "Output",
        "Output that cannot be written",
        "It is a failure after the cleanups; a reader that has gone is none.",
        &[],
        &["a_script_whose_output_is_lost_fails", "a_reader_that_is_gone_is_no_error"],
    ),
    row(
        "Cleanup",
        "A script ends by an error, by Ctrl-C or by SIGKILL",
        "The containers of its scopes are removed.",
        &[],
        &["a_killed_script_leaves_nothing_of_its_scope"],
    ),
    row(
        "Secrets",
        "Passwords in references and credential files",
        "No error, hint or header to another host repeats them.",
        &[],
        &[
            "no_verb_repeats_the_password_of_a_reference",
            "a_secret_stays_with_scheme_host_and_port",
        ],
    ),
    row(
        "Attacks",
        "A script from a stranger",
        "It reaches neither the host nor what others made.",
        &[],
        &[
            "it_makes_no_container_that_could_get_out",
            "it_only_looks_at_what_others_made",
            "tags_and_images_of_others_stay",
        ],
    ),
];
