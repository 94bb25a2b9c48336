from xiezhi.cli import main

raise SystemExit(main())
