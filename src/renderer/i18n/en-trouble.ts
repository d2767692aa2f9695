/** What the core reports by its codes, in English: a part of `en.ts`. */
export const troubleEn = {
  errors: {
    bad_request: 'The request was not understood. Change the message and send it again.',
    bad_json: 'The request was not understood. Send it again.',
    bad_model_name: 'This model name is not valid. Use a name such as qwen2.5:3b.',
    unsupported: 'The chosen model cannot do this. Choose another one.',
    context_exceeded: 'This is too long for the chosen model. Send less, or choose another one.',
    unauthorized: 'This page is no longer signed in. Open the address that Tandem printed at start.',
    forbidden_host: 'This address is not allowed. Open Tandem at 127.0.0.1.',
    forbidden_origin:
      'This page is not allowed to talk to Tandem. Open the address that Tandem printed at start.',
    not_found: 'This is gone. A deleted chat comes back with Undo.',
    model_not_found: 'This model is not installed. Choose another one or get it in Models.',
    body_too_large: 'The message is over 32 MB. Send a shorter one.',
    rate_limited: 'Too many requests in a short time. Wait a moment and try again.',
    cancelled: 'Cancelled.',
    internal: 'Something in Tandem went wrong. Try again; if it happens again, restart Tandem.',
    echo: 'The models only repeated the message. Put it another way and send it again.',
    backend_failed: 'The server broke off in mid-answer. Try again.',
    no_model: 'No installed model can do this. Get one in Models.',
    ollama_down: 'Ollama is not running. It is being brought back; try again in a moment.',
    backend_down: 'The server is not running. It is being brought back; try again in a moment.',
    mlx_down: 'MLX is not running. It is being brought back; try again in a moment.',
    backend_absent: 'No server can answer this. See Status for what is missing.',
    queue_full: 'Too much is waiting already. Try again when the queue is shorter.',
    queue_timeout: 'It waited too long for its turn. Try again, or ask another server.',
    memory_critical: 'Memory is nearly full. Close something large or unload a model, then try again.',
    poison:
      'This message has stopped a server twice, so it is not tried again for a day. Put it another way and send it again.',
    timeout: 'The answer took too long. Try again with a shorter message or a smaller model.',
    loop_detected: 'A server’s address leads back to Tandem. Correct it in Settings.',
    self_reference: 'A server’s address leads back to Tandem. Correct it in Settings.',
    port_taken: 'A port that Tandem needs is in use. Close the other program or choose another port.',
    settings_corrupt: 'The settings file was damaged. It was moved aside, and the defaults are used.',
    setting_from_environment: 'This value is set in the environment. Unset the variable to change it here.',
    setting_invalid: 'This value is not accepted. The earlier one is kept.',
    environment_invalid:
      'A variable in the environment has a value that is not accepted. The default is used.',
    database_unreadable:
      'The chat database could not be read. It was moved aside, and a new one was started.',
    database_newer:
      'The chat database was written by a newer Tandem. It is open for reading; update Tandem to write.',
    disk_full: 'The disk is full. Free some space and try again.',
    data_dir_foreign: 'The data folder has files of another program in it. Name an empty or a new folder.',
    data_dir_locked: 'Another Tandem uses this data folder. Close it and start again.',
    read_only: 'The chats are open for reading only. Update Tandem to write.',
    runtime_broken: 'The runtime is damaged. Try again to reinstall it.',
    runtime_in_use: 'Another Tandem that is running uses this. Quit that one, then try again.',
    busy: 'The model is in use. Wait until its answer has ended, then try again.',
    not_supported: 'Only the desktop app can do this.',
    not_deletable:
      'The folder of this model is a link, or lies outside the places that Tandem knows. Delete it by hand.',
    model_incomplete: 'The model’s folder is incomplete. Download it again.',
    pull_failed: 'The download broke off. Try again; what has arrived is kept.',
    download_stalled: 'Nothing more arrived for a minute. Try again; what has arrived is kept.',
    model_gated:
      'This model needs your consent on its page and a token of your account. Enter the token, then try again.',
    model_unsupported: 'MLX cannot run this model. Choose another one.',
    hub_token_rejected: 'The token is not accepted. Enter a valid one.',
    secret_store_unavailable:
      'The system’s secret store is locked or missing, so the token was not stored. Unlock it and try again.',
    declined: 'Tandem did not pass this on, because the safety check is set to decline.',
    disconnected: 'Tandem does not answer. Check that it runs, then try again.',
  },
  serverErrors: {
    exited: 'Its process ended. Tandem starts it again by itself.',
    killed: 'It was ended from outside. Tandem starts it again by itself.',
    port_taken: 'Its port was in use. Tandem starts it again on another one.',
    runtime_broken: 'Its runtime is broken. Remove the runtime in Settings, then restart it.',
    start_failed: 'It could not be started. Tandem tries again by itself.',
    generation_dead: 'It no longer produced tokens. Tandem starts it again by itself.',
    parent_gone: 'It lost its connection to Tandem. Tandem starts it again by itself.',
    bad_model: 'The model could not be loaded. Choose another one in Settings.',
    bad_arguments: 'It does not know its arguments. Remove its runtime in Settings, then restart it.',
    start_timeout: 'It did not become ready in time. Restart it; a smaller model starts faster.',
    out_of_memory: 'It ran out of GPU memory. Shorter messages or a smaller model avoid it.',
    gpu_hang: 'Its GPU hung. Tandem starts it again by itself; restart the Mac if it happens often.',
    killed_by_os: 'The system ended it to free memory. Close something large or choose a smaller model.',
    poison: 'A request ended it that it cannot survive. That request now goes elsewhere.',
    stalled: 'It made no progress, so it was ended. Tandem starts it again by itself.',
    unknown: 'It stopped and left no trace of why. Tandem starts it again; the report shows what is known.',
    hung: 'It no longer produced tokens. Tandem restarts it by itself.',
    self_reference: 'Its address leads back to Tandem. Give the server’s own address.',
    forbidden_host: 'Its address leads to another Tandem, which refuses this name.',
    vanished: 'The server that Tandem used is gone. Start it again, or let Tandem start its own.',
    unreachable: 'It cannot be reached. Check that it runs at its address.',
  },
  errorFacts: {
    bad_request: 'The server would not survive “{{field}}” as it was given. Change it and send it again.',
    model_not_found: '“{{model}}” is not installed. Choose another model or get it in Models.',
    context_exceeded:
      'With its answer this takes about {{tokens}} tokens, and {{model}} holds {{context}}. Send less, or choose another model.',
    timeout:
      '{{backend}} took longer than {{seconds}} s with {{model}}. Allow more time in Settings, or choose a smaller model.',
    echo: '{{model}} only repeated the message. Put it another way, or choose another model.',
    queue_timeout: 'No place at {{backend}} came free for {{waitedS}} s. Try again, or ask another server.',
    no_model: '{{model}} is too large for MLX while only light models are allowed there. Get it with Ollama.',
    setting_from_environment:
      'This value is set in the environment. Unset {{name}} and restart Tandem to change it here.',
    model_folder_hung:
      '{{path}} does not answer, so models in it may be missing. Check the disk or network volume. Tandem looks again every five minutes.',
    read_only: '{{file}} is not changed by this Tandem. Status says why.',
  },
  warnings: {
    variable: '{{name}} was not understood and is ignored. It takes: {{accepted}}.',
    setting: '{{name}} in the settings file is not valid, so the default is used. It takes: {{accepted}}.',
    variableEntry:
      '{{name}} was not understood in one entry: “{{entry}}” is ignored. It takes: {{accepted}}.',
    variableContradicts: '{{name}} is ignored: {{first}} must not be above {{last}}. Correct one of the two.',
    variableBothRaised:
      '{{name}} is ignored: it and {{other}} must not both be raised, because several requests at once with wired memory make Macs restart. Correct one of the two.',
    settingEntry:
      '{{name}} in the settings file has an entry that is not valid: “{{entry}}” is ignored. It takes: {{accepted}}.',
    settingContradicts:
      '{{name}} in the settings file is ignored: {{first}} must not be above {{last}}. Correct one of the two.',
    settingValue: 'This is not accepted; the earlier value is kept. It takes {{accepted}}.',
    settingAbove: 'This must not be above the other limit, which is {{limit}}. Change that one first.',
    settingBelow: 'This must not be below the other limit, which is {{limit}}. Change that one first.',
    settingBothRaised:
      '{{name}} in the settings file is ignored: it and {{other}} must not both be raised, because several requests at once with wired memory make Macs restart. Correct one of the two.',
    settingExcludes:
      'Several requests at once with wired memory make Macs restart. Set the other one back first; it is {{limit}}.',
    panicChanged:
      'The Mac restarted because macOS failed in the GPU’s memory management (“{{panic}}”, in {{program}}). Wired memory and several requests at once are known to trigger this, so Tandem has reset {{changed}}. Install macOS updates, and leave these settings unless you accept another restart.',
    panicHeld:
      'The Mac restarted because macOS failed in the GPU’s memory management (“{{panic}}”, in {{program}}). Wired memory and several requests at once are known to trigger this. Tandem cannot reset {{held}}: unset it and start Tandem again. Install macOS updates.',
    panicBoth:
      'The Mac restarted because macOS failed in the GPU’s memory management (“{{panic}}”, in {{program}}). Wired memory and several requests at once are known to trigger this, so Tandem has reset {{changed}}. Tandem cannot reset {{held}}: unset it and start Tandem again. Install macOS updates.',
    gatedInOllama:
      '{{model}} needs your consent on its page, and Ollama itself needs access: add Ollama’s public key (~/.ollama/id_ed25519.pub) to your account there, then look it up again.',
    panicPlain:
      'The Mac restarted because macOS failed in the GPU’s memory management (“{{panic}}”, in {{program}}). MLX wired no memory and took one request at a time, so Tandem has changed nothing. Install macOS updates and close other programs that use MLX; if it happens again, let Ollama answer alone (Settings).',
    settingFolder: 'There is no folder {{path}} that can be read. Check the path.',
    settingsKept:
      'The settings file was damaged; {{used}} now. The damaged one was kept as {{path}}. Check the settings.',
    settingsLeft:
      'The settings file {{path}} is damaged and could not be moved; {{used}}, and changes are not saved. Repair or remove it, then restart Tandem.',
    settingsUnreadable:
      '{{path}} cannot be read; {{used}}, and changes are not saved. Give your user the right to it, then restart Tandem.',
    settingsNewer:
      '{{path}} was written by a newer Tandem (version {{version}}), so it is used but not changed. Update Tandem.',
    databaseKept:
      'The chat database could not be read and a new one was begun. The old one was kept as {{path}}. To get chats out of it, quit Tandem and run `sqlite3 "{{path}}" .recover`.',
    databaseNewer:
      '{{path}} was written by a newer Tandem (version {{version}}): chats can be read but not changed. Update Tandem.',
    modelWeights:
      '{{name}} cannot be used: its weights are missing ({{file}}). Finish the download, or delete the folder unless another program uses it.',
    modelDownload:
      '{{name}} cannot be used: its download is not finished ({{file}}). Finish the download, or delete the folder unless another program uses it.',
    modelConfig:
      '{{name}} cannot be used: its config.json cannot be read. Download it again, or delete the folder unless another program uses it.',
    portHeld: 'Port {{port}} is used by {{holder}} ({{pid}}), so this page is at {{url}}.',
    pullDamaged:
      'It arrived damaged and was thrown away. Try again; if it stays so, the library is at fault.',
    pullNetwork: 'The model library cannot be reached. Check the network, then try again.',
    pullCertificate:
      'The certificate of the model library is not trusted. Name your company’s in SSL_CERT_FILE, then restart Tandem.',
    pullCertificateFile:
      'SSL_CERT_FILE names {{path}}, which cannot be read. Correct or unset it, then restart Tandem.',
    pullPermission: 'The folder for models cannot be written. Check whom it belongs to, then try again.',
    portMoved: 'Port {{port}} is in use, so this page is at {{url}}.',
  },
  accepted: {
    whole: 'a whole number',
    number: 'a number',
    range: '{{kind}} from {{low}} to {{high}}',
    from: '{{kind}} from {{low}}',
    text: 'text of at most {{max}} characters',
    json: 'JSON such as {"model": [60, 40, 60]}, in seconds',
    url: 'an http:// or https:// address',
    list: '{{example}}, separated by commas',
    lastGood: 'the last good copy is used',
    defaults: 'the defaults hold',
  },
  cures: {
    setup: 'It is being set up. You see how far it is above.',
    no_python:
      'There is no fit Python. Install Python 3.11 or newer with its venv module, then start Tandem again.',
    no_python_run:
      'There is no fit Python. Run `{{command}}`, or install Python with its own installer, then start Tandem again.',
    mlx_python_broken_run:
      'The Python that TANDEM_MLX_PYTHON names has no mlx-lm. Run `{{command}}`, or unset the variable.',
    unsupported_system: 'MLX does not exist for this system. It needs macOS or Linux.',
    venv_unavailable_run: 'Python cannot make an environment of its own. Run `{{command}}`.',
    system_packages_run: 'System packages are missing. Run `{{command}}`.',
    install_failed:
      'The packages could not be installed. Check the network and the free disk space, then try again.',
    verify_failed: 'What was installed does not work. Try again to reinstall it.',
    no_go:
      'Ollama is not installed. Install it with its own Linux installer, or Go 1.26 or newer to have it built, then start Tandem again.',
    no_go_run:
      'Ollama is not installed. Install the Ollama app or run `{{command}}`, then start Tandem again.',
    no_build_tools:
      'A tool to build Ollama with is missing or too old. Install Ollama with its own installer, or CMake 3.24 or newer, then start Tandem again.',
    no_build_tools_run:
      'Something is missing to build Ollama with. Run `{{command}}`, then start Tandem again.',
    build_failed: 'Ollama could not be built. Install it with its own installer, then start Tandem again.',
    build_failed_run:
      'Ollama could not be built. Install the Ollama app or run `{{command}}`, then start Tandem again.',
    download_failed: 'Ollama’s source could not be fetched. Check the network, then try again.',
    sum_mismatch:
      'Ollama’s source is not the one that was expected, so it is not used. Check where Go gets its modules from: `go env GOPROXY`.',
    ollama_binary_broken:
      'What TANDEM_OLLAMA_BIN names does not run. Correct the path, or unset the variable to have Ollama looked for.',
    setup_failed: 'The set-up failed. Run `npm start -- --check` to see what is missing.',
    runtime_broken: 'The set-up broke off. Try again; `npm start -- --check` shows what is missing.',
    runtime_removed: 'Its runtime was removed. Try again to reinstall it.',
    setup_cancelled:
      'You cancelled it. Try again to go on where it stopped; else it goes on at the next start.',
    no_model: 'MLX has no model to load. Put one into a model folder, or get the small model.',
    no_pip:
      'There is no Python 3.9 or newer with pip. Install it (on Debian: `python3-pip`), then try again.',
    pip_unusable: 'This pip is too old. Run `python3 -m pip install --upgrade pip`, then try again.',
    index_unreachable:
      'The package index cannot be reached. Check the network and the index that pip uses (`pip config list`), then try again.',
    not_in_index: 'The package index does not have it. Check the index that pip uses: `pip config list`.',
    download_interrupted:
      'The download broke off. Check the network, then try again: it goes on where it stopped.',
    wrong_file: 'The file is not the one that was expected, so it was removed. Try again.',
    not_writable: 'It could not be saved. Check the free disk space, then try again.',
    unpack_failed: 'It could not be unpacked. Check the free disk space, then try again.',
    convert_failed: 'It could not be converted for MLX; Ollama has it. Try again.',
    backend_absent: 'The server that was found is gone. Start it again, or try the set-up again.',
    address_invalid:
      '{{name}} holds an address that cannot be used. Correct it or unset it, then start Tandem again.',
    ollama_down: 'No Ollama answers at {{address}}. Start it there, or unset OLLAMA_API_URL.',
    backend_down: 'No server answers at {{address}}. Start it there, or remove it from the settings.',
    mlx_down: 'No MLX API answers at {{address}}. Start it there, or unset MLX_API_URL.',
    self_reference: 'The address leads back to Tandem itself. Give the server’s own address.',
    forbidden_host:
      'Another Tandem answers at {{address}} and refuses that name. There, add the name to TANDEM_ALLOWED_HOSTS.',
  },
};
