"""The public shell: pages for everyone, without the desk."""
